/**
 * H.264 in FLV, as ffmpeg writes it to a pipe, to access units. Unlike Annex B every picture says
 * how long it is and when it was: it can be shown as soon as its last byte is there. Only what
 * ffmpeg writes is read: a header, then tags; audio and script tags are skipped. Pure.
 */
import { concat } from "../lib/bytes.ts";
import { accessUnit, MAX_UNIT_BYTES, MAX_UNIT_NALS } from "./access_unit.ts";
import type { OutputReader } from "./program.ts";
import { type AccessUnit, CameraError } from "./source.ts";

const FILE_HEAD_BYTES = 13; // the head and the size of no tag in front
const TAG_HEAD_BYTES = 11;
const TRAILER_BYTES = 4; // each tag is followed by its size
const VIDEO_TAG = 9;
const AVC = 7;
const LENGTH_BYTES = 4;
const TICKS_PER_MS = 90;

export class FlvReader implements OutputReader {
  #held: Uint8Array = new Uint8Array();
  #inTags = false;

  push(_now: number, chunk: Uint8Array): AccessUnit[] {
    this.#held = this.#held.length === 0 ? chunk : concat(this.#held, chunk);
    const units: AccessUnit[] = [];
    for (let tag = this.#nextTag(); tag !== undefined; tag = this.#nextTag()) {
      const unit = tag.type === VIDEO_TAG ? readVideo(tag.body, tag.ms) : undefined;
      if (unit !== undefined) units.push(unit);
    }
    return units;
  }

  #nextTag(): { type: number; ms: number; body: Uint8Array } | undefined {
    if (!this.#inTags && !this.#takeHead()) return undefined;
    const held = this.#held;
    if (held.length < TAG_HEAD_BYTES) return undefined;
    const length = (held[1]! << 16) | (held[2]! << 8) | held[3]!;
    if (length > MAX_UNIT_BYTES) throw broken("one picture is above the limit");
    const end = TAG_HEAD_BYTES + length;
    if (held.length < end + TRAILER_BYTES) return undefined;
    const ms = ((held[7]! << 24) | (held[4]! << 16) | (held[5]! << 8) | held[6]!) >>> 0;
    this.#held = held.subarray(end + TRAILER_BYTES);
    return { type: held[0]! & 0x1f, ms, body: held.subarray(TAG_HEAD_BYTES, end) };
  }

  #takeHead(): boolean {
    if (this.#held.length < FILE_HEAD_BYTES) return false;
    if (new TextDecoder().decode(this.#held.subarray(0, 3)) !== "FLV") {
      throw broken("the program does not write FLV");
    }
    this.#held = this.#held.subarray(FILE_HEAD_BYTES);
    this.#inTags = true;
    return true;
  }
}

function readVideo(body: Uint8Array, ms: number): AccessUnit | undefined {
  if (body.length < 5 || (body[0]! & 0x0f) !== AVC) return undefined;
  const timestamp = (ms * TICKS_PER_MS) % 2 ** 32;
  if (body[1] === 0) {
    return { nals: readConfiguration(body.subarray(5)), timestamp, keyFrame: false };
  }
  return body[1] === 1 ? accessUnit(readNals(body.subarray(5)), timestamp) : undefined;
}

/** AVCDecoderConfigurationRecord (ISO 14496-15 5.2.4.1): parameter sets with 16-bit lengths. */
function readConfiguration(bytes: Uint8Array): Uint8Array[] {
  const nals: Uint8Array[] = [];
  let offset = 5;
  for (let kind = 0; kind < 2; kind++) { // sequence sets, then picture sets
    const count = (bytes[offset++] ?? 0) & (kind === 0 ? 0x1f : 0xff);
    for (let index = 0; index < count; index++) {
      if (offset + 2 > bytes.length) throw broken("its parameter sets are cut");
      const length = (bytes[offset]! << 8) | bytes[offset + 1]!;
      const end = offset + 2 + length;
      if (length === 0 || end > bytes.length) throw broken("its parameter sets are cut");
      nals.push(bytes.slice(offset + 2, end));
      offset = end;
    }
  }
  return nals;
}

function readNals(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const nals: Uint8Array[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const length = offset + LENGTH_BYTES <= bytes.length ? view.getUint32(offset) : 0;
    const end = offset + LENGTH_BYTES + length;
    if (length === 0 || end > bytes.length || nals.length === MAX_UNIT_NALS) {
      throw broken("a picture's parts do not fit");
    }
    nals.push(bytes.slice(offset + LENGTH_BYTES, end));
    offset = end;
  }
  return nals;
}

function broken(reason: string): CameraError {
  return new CameraError("broken", `Cannot read video: ${reason}`);
}
