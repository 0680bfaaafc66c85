/** What one byte or two of a NAL unit say (H.264 7.3.1, 7.3.3). Pure. */
import { BitReader } from "./bits.ts";

/** nal_unit_type, H.264 table 7-1. */
export const NAL = {
  slice: 1,
  partitionA: 2,
  idr: 5,
  sei: 6,
  sps: 7,
  pps: 8,
  delimiter: 9,
  endOfSequence: 10,
  endOfStream: 11,
  filler: 12,
} as const;

// first_mb_in_slice and slice_type take at most 2 x 9 bytes, in practice 4
const SLICE_HEAD_BYTES = 16;
const B_SLICE = 1; // table 7-6; 6 says that all slices of the picture are B

export function nalType(nal: Uint8Array): number {
  return nal[0]! & 0x1f;
}

/** Coded picture data of the primary picture: table 7-1, "VCL", without extensions. */
export function isPicture(nal: Uint8Array): boolean {
  const type = nalType(nal);
  return type >= NAL.slice && type <= NAL.idr;
}

export function isParameterSet(nal: Uint8Array): boolean {
  const type = nalType(nal);
  return type === NAL.sps || type === NAL.pps;
}

/** No other picture refers to this one (nal_ref_idc is 0), so that it may be left out. */
export function isDisposable(nal: Uint8Array): boolean {
  return (nal[0]! & 0x60) === 0;
}

/** first_mb_in_slice is 0: its code is a single 1 bit. */
export function startsPicture(nal: Uint8Array): boolean {
  return isPicture(nal) && nal.length > 1 && (nal[1]! & 0x80) !== 0;
}

export function isBidirectional(nal: Uint8Array): boolean {
  if (nalType(nal) !== NAL.slice) return false;
  const bits = new BitReader(nal.subarray(1, SLICE_HEAD_BYTES));
  bits.unsigned(); // first_mb_in_slice
  const type = bits.unsigned();
  return !bits.exhausted && type % 5 === B_SLICE;
}

/** Types that tell a decoder of one live stream nothing. */
export function isPadding(nal: Uint8Array): boolean {
  const type = nalType(nal);
  return type >= NAL.delimiter && type <= NAL.filler;
}
