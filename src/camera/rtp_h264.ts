/** H.264 in RTP (RFC 6184 5.6 to 5.8). Pure. Refused by name: the interleaved mode (STAP-B, MTAP, FU-B). */
import { accessUnit } from "./access_unit.ts";
import type { RtpContent, RtpFormat } from "./depacketizer.ts";
import { isPicture, startsPicture } from "./nal.ts";
import { CameraError } from "./source.ts";

const STAP_A = 24;
const FU_A = 28;
const REFUSED: ReadonlyMap<number, string> = new Map([
  [25, "STAP-B"],
  [26, "MTAP16"],
  [27, "MTAP24"],
  [29, "FU-B"],
]);
const DAMAGED: RtpContent = { type: "damaged" };

export const H264_FORMAT: RtpFormat = { read, isPicture, startsPicture, unit: accessUnit };

function read(payload: Uint8Array): RtpContent {
  if (payload.length === 0) return { type: "nals", nals: [] };
  const type = payload[0]! & 0x1f;
  const refused = REFUSED.get(type);
  if (refused !== undefined) {
    const remedy = "use packetization-mode 0 or 1";
    throw new CameraError(
      "unsupported",
      `Cannot read video: ${refused} is not supported: ${remedy}`,
    );
  }
  if (type === FU_A) return readFragment(payload);
  if (type === STAP_A) return readAggregate(payload, 1);
  return type >= 1 && type < STAP_A ? { type: "nals", nals: [payload] } : DAMAGED;
}

/** RFC 6184 5.8 */
function readFragment(payload: Uint8Array): RtpContent {
  if (payload.length < 3) return DAMAGED;
  return {
    type: "fragment",
    head: Uint8Array.of((payload[0]! & 0xe0) | (payload[1]! & 0x1f)),
    first: (payload[1]! & 0x80) !== 0,
    last: (payload[1]! & 0x40) !== 0,
    body: payload.subarray(2),
  };
}

/** RFC 6184 5.7.1 and RFC 7798 4.4.2: units behind 16-bit lengths, from `start` on. */
export function readAggregate(payload: Uint8Array, start: number): RtpContent {
  const nals: Uint8Array[] = [];
  let offset = start;
  while (offset + 2 <= payload.length) {
    const length = (payload[offset]! << 8) | payload[offset + 1]!;
    const end = offset + 2 + length;
    if (length === 0 || end > payload.length) break;
    nals.push(payload.subarray(offset + 2, end));
    offset = end;
  }
  return offset === payload.length ? { type: "nals", nals } : DAMAGED;
}
