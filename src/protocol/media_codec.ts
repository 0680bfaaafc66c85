/** Media sections of control messages: an offer's and an answer's, checked field by field. */
import { type Fields, id, list, matching, optional, record, uint, whole } from "./fields.ts";
import type { H264Offer, MediaAnswer, MediaOffer } from "./sdp.ts";

const MID = /^[A-Za-z0-9_-]{1,16}$/;
const PROFILE_LEVEL_ID = /^[0-9a-f]{6}$/i;
const CNAME = /^[A-Za-z0-9+/=_.@{}-]{1,64}$/;
const MAX_PAYLOAD_TYPE = 127; // seven bits (RFC 3550 5.1)

export function readMediaOffer(value: unknown): MediaOffer {
  const fields = record(value);
  return {
    mid: matching(fields.mid, MID),
    camera: fields.camera === null ? null : id(fields.camera),
    codecs: list(fields.codecs, h264Offer),
    ...optional(fields, "playoutDelay", uint),
  };
}

export function readMediaAnswer(value: unknown): MediaAnswer {
  const fields = record(value);
  const mid = matching(fields.mid, MID);
  if (fields.active !== true) return { mid, active: false };
  return {
    mid,
    active: true,
    codec: h264Offer(fields.codec),
    ssrc: uint(fields.ssrc),
    ...optional(fields, "rtxSsrc", uint),
    cname: matching(fields.cname, CNAME),
    ...optional(fields, "playoutDelay", uint),
  };
}

/** Six hexadecimal digits (RFC 6184 8.1). */
export function profileLevelId(value: unknown): string {
  return matching(value, PROFILE_LEVEL_ID);
}

function h264Offer(value: unknown): H264Offer {
  const fields = record(value);
  return {
    payloadType: payloadType(fields.payloadType),
    ...optional(fields, "rtx", payloadType),
    profileLevelId: profileLevelId(fields.profileLevelId),
    packetizationMode: packetizationMode(fields),
  };
}

function payloadType(value: unknown): number {
  return whole(value, MAX_PAYLOAD_TYPE);
}

function packetizationMode({ packetizationMode }: Fields): 0 | 1 {
  return packetizationMode === 1 ? 1 : 0;
}
