/**
 * The test clip as frames of RTP payloads: the least that a test of senders needs (RFC 6184 5.4,
 * 5.6, 5.8).
 */

/** One access unit, cut. */
export interface ClipFrame {
  readonly payloads: Uint8Array[];
  readonly keyFrame: boolean;
}

const MAX_PAYLOAD_BYTES = 1180;
const IDR = 5;
const SLICE = 1;
const FU_A = 28;

/**
 * All frames of an Annex B file in which each picture is one slice or starts with
 * `first_mb_in_slice` 0.
 */
export function clipFrames(file: Uint8Array): ClipFrame[] {
  const frames: Uint8Array[][] = [];
  let units: Uint8Array[] = [];
  for (const unit of splitAnnexB(file)) {
    const last = units.at(-1);
    const startsPicture = !isSlice(unit) || (unit[1]! & 0x80) !== 0;
    if (last !== undefined && isSlice(last) && startsPicture) {
      frames.push(units);
      units = [];
    }
    units.push(unit);
  }
  frames.push(units);
  return frames.map((units) => ({
    payloads: units.flatMap(cut),
    keyFrame: units.some((unit) => (unit[0]! & 31) === IDR),
  }));
}

function isSlice(unit: Uint8Array): boolean {
  const type = unit[0]! & 31;
  return type === SLICE || type === IDR;
}

function splitAnnexB(file: Uint8Array): Uint8Array[] {
  const starts: number[] = [];
  for (let i = 0; i + 3 <= file.length; i++) {
    if (file[i] === 0 && file[i + 1] === 0 && file[i + 2] === 1) starts.push(i + 3);
  }
  return starts.map((start, index) => {
    let end = index + 1 < starts.length ? starts[index + 1]! - 3 : file.length;
    while (file[end - 1] === 0) end--;
    return file.subarray(start, end);
  });
}

function cut(unit: Uint8Array): Uint8Array[] {
  if (unit.length <= MAX_PAYLOAD_BYTES) return [unit];
  const payloads: Uint8Array[] = [];
  for (let at = 1; at < unit.length; at += MAX_PAYLOAD_BYTES - 2) {
    const part = unit.subarray(at, at + MAX_PAYLOAD_BYTES - 2);
    const start = at === 1 ? 0x80 : 0;
    const end = at + part.length === unit.length ? 0x40 : 0;
    const payload = new Uint8Array(part.length + 2);
    payload[0] = (unit[0]! & 0xe0) | FU_A;
    payload[1] = start | end | (unit[0]! & 31);
    payload.set(part, 2);
    payloads.push(payload);
  }
  return payloads;
}
