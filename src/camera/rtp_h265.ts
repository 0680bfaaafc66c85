/**
 * H.265 in RTP (RFC 7798 4.4). Pure. Refused by name: decoding order numbers and PACI packets, which
 * no camera sends.
 */
import type { RtpContent, RtpFormat } from "./depacketizer.ts";
import { readAggregate } from "./rtp_h264.ts";
import { type AccessUnit, CameraError } from "./source.ts";

const LAST_SLICE = 31; // H.265 table 7-1: VCL
const FIRST_KEY = 16; // BLA_W_LP
const LAST_KEY = 21; // CRA_NUT
const AGGREGATE = 48;
const FRAGMENT = 49;
const HEAD_BYTES = 2;
const DAMAGED: RtpContent = { type: "damaged" };

export const H265_FORMAT: RtpFormat = { read, isPicture, startsPicture, unit };

function nalType(nal: Uint8Array): number {
  return (nal[0]! >> 1) & 0x3f;
}

function isPicture(nal: Uint8Array): boolean {
  return nal.length > HEAD_BYTES && nalType(nal) <= LAST_SLICE;
}

/** first_slice_segment_in_pic_flag (H.265 7.3.6.1). */
function startsPicture(nal: Uint8Array): boolean {
  return isPicture(nal) && (nal[HEAD_BYTES]! & 0x80) !== 0;
}

function unit(nals: readonly Uint8Array[], timestamp: number): AccessUnit {
  const keyFrame = nals.some((nal) => nalType(nal) >= FIRST_KEY && nalType(nal) <= LAST_KEY);
  return { nals, timestamp: timestamp >>> 0, keyFrame };
}

function read(payload: Uint8Array): RtpContent {
  if (payload.length === 0) return { type: "nals", nals: [] };
  if (payload.length < HEAD_BYTES) return DAMAGED;
  const type = nalType(payload);
  if (type === AGGREGATE) return readAggregate(payload, HEAD_BYTES);
  if (type === FRAGMENT) return readFragment(payload);
  if (type < AGGREGATE) return { type: "nals", nals: [payload] };
  throw new CameraError("unsupported", `Cannot read video: H.265 in RTP packets of type ${type}`);
}

/** RFC 7798 4.4.3 */
function readFragment(payload: Uint8Array): RtpContent {
  if (payload.length < HEAD_BYTES + 2) return DAMAGED;
  const flags = payload[HEAD_BYTES]!;
  return {
    type: "fragment",
    head: Uint8Array.of((payload[0]! & 0x81) | ((flags & 0x3f) << 1), payload[1]!),
    first: (flags & 0x80) !== 0,
    last: (flags & 0x40) !== 0,
    body: payload.subarray(HEAD_BYTES + 1),
  };
}
