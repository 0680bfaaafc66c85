/** What a browser and a person must know of a sequence parameter set (H.264 7.3.2.1.1). Pure. */
import { toHex } from "../lib/bytes.ts";
import { BitReader } from "./bits.ts";
import { NAL, nalType } from "./nal.ts";

const MIN_BYTES = 4;
const MAX_SIDE_PIXELS = 16_384; // above every level of table A-1
const MAX_SPS_ID = 31; // 7.4.2.1.1
const MAX_PICTURE_ORDER_CYCLE = 255; // 7.4.2.1.1
/** Profiles whose set has chroma and scaling fields. */
const HIGH_PROFILES: readonly number[] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134];

export interface SequenceParameters {
  readonly id: number;
  /** Six lower-case hexadecimal digits (RFC 6184 8.1). */
  readonly profileLevelId: string;
  readonly width: number;
  readonly height: number;
  /** 8 bits a sample and 4:2:0, or monochrome: all that browsers decode. */
  readonly plainColour: boolean;
}

/** Reads a set; undefined when it is cut short or impossible. */
export function parseSps(nal: Uint8Array): SequenceParameters | undefined {
  if (nal.length < MIN_BYTES || nalType(nal) !== NAL.sps) return undefined;
  const bits = new BitReader(nal.subarray(MIN_BYTES));
  const id = bits.unsigned();
  const high = HIGH_PROFILES.includes(nal[1]!);
  const colour = high ? readColour(bits) : { chroma: 1, plain: true };
  skipOrder(bits);
  const size = readSize(bits, colour.chroma);
  if (bits.exhausted || id > MAX_SPS_ID || !isSide(size.width) || !isSide(size.height)) {
    return undefined;
  }
  const profileLevelId = toHex(nal.subarray(1, MIN_BYTES));
  return { id, profileLevelId, ...size, plainColour: colour.plain };
}

function isSide(pixels: number): boolean {
  return pixels > 0 && pixels <= MAX_SIDE_PIXELS;
}

function readColour(bits: BitReader): { chroma: number; plain: boolean } {
  const chroma = bits.unsigned();
  if (chroma === 3) bits.bit(); // separate_colour_plane_flag
  const depth = bits.unsigned() + bits.unsigned();
  bits.bit(); // qpprime_y_zero_transform_bypass_flag
  if (bits.bit() === 1) skipScalingLists(bits, chroma === 3 ? 12 : 8);
  return { chroma, plain: chroma <= 1 && depth === 0 };
}

function skipScalingLists(bits: BitReader, count: number): void {
  for (let list = 0; list < count; list++) {
    if (bits.bit() === 0) continue;
    let last = 8;
    let next = 8;
    for (let i = 0; i < (list < 6 ? 16 : 64) && next !== 0; i++) {
      next = (last + bits.signed() + 256) % 256;
      last = next === 0 ? last : next;
    }
  }
}

/** log2_max_frame_num_minus4 up to gaps_in_frame_num_value_allowed_flag. */
function skipOrder(bits: BitReader): void {
  bits.unsigned();
  const type = bits.unsigned();
  if (type === 0) bits.unsigned();
  if (type === 1) {
    bits.bit();
    bits.signed();
    bits.signed();
    const cycle = Math.min(bits.unsigned(), MAX_PICTURE_ORDER_CYCLE);
    for (let i = 0; i < cycle; i++) bits.signed();
  }
  bits.unsigned(); // max_num_ref_frames
  bits.bit();
}

function readSize(bits: BitReader, chroma: number): { width: number; height: number } {
  const width = 16 * (bits.unsigned() + 1);
  const mapUnits = bits.unsigned() + 1;
  const fields = bits.bit() === 1 ? 1 : 2; // frame_mbs_only_flag
  if (fields === 2) bits.bit();
  bits.bit(); // direct_8x8_inference_flag
  const height = 16 * fields * mapUnits;
  if (bits.bit() === 0) return { width, height };
  const unitX = chroma === 1 || chroma === 2 ? 2 : 1;
  const unitY = (chroma === 1 ? 2 : 1) * fields;
  const [left, right, top, bottom] = [
    bits.unsigned(),
    bits.unsigned(),
    bits.unsigned(),
    bits.unsigned(),
  ];
  return { width: width - unitX * (left + right), height: height - unitY * (top + bottom) };
}
