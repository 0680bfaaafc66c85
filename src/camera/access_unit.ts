/** Gathers the NAL units of a byte stream into access units (H.264 7.4.1.2.3). Pure. */
import { isPicture, NAL, nalType, startsPicture } from "./nal.ts";
import { type AccessUnit, CameraError } from "./source.ts";

/** Level 5.2 allows fewer slices a picture in every profile we can show. */
export const MAX_UNIT_NALS = 1024;
/** One picture. An IDR of a 4K camera at 20 Mbit/s stays far below. */
export const MAX_UNIT_BYTES = 8 * 1024 * 1024;

/** Makes the unit; `nals` is not copied. */
export function accessUnit(nals: readonly Uint8Array[], timestamp: number): AccessUnit {
  const keyFrame = nals.some((nal) => nalType(nal) === NAL.idr);
  return { nals, timestamp: timestamp >>> 0, keyFrame };
}

export class UnitAssembler {
  #nals: Uint8Array[] = [];
  #bytes = 0;
  #hasPicture = false;

  /**
   * Takes the next NAL unit and gives the access unit that it shows to be complete. Redundant and
   * arbitrarily ordered slices are left out: no camera sends them. Throws a CameraError `broken`
   * above the limits.
   */
  push(nal: Uint8Array, timestamp: number): AccessUnit | undefined {
    const complete = this.#hasPicture && beginsUnit(nal) ? this.flush(timestamp) : undefined;
    this.#nals.push(nal);
    this.#bytes += nal.length;
    this.#hasPicture ||= isPicture(nal);
    if (this.#nals.length > MAX_UNIT_NALS || this.#bytes > MAX_UNIT_BYTES) {
      throw new CameraError("broken", "Cannot read video: one picture is above the limit");
    }
    return complete;
  }

  /**
   * Takes the first two bytes of a NAL unit that is still on its way: they may already show the
   * unit to be complete.
   */
  announce(begun: Uint8Array, timestamp: number): AccessUnit | undefined {
    const complete = this.#hasPicture && begun.length >= 2 && beginsUnit(begun);
    return complete ? this.flush(timestamp) : undefined;
  }

  /** The unit gathered so far, if it holds a picture. */
  flush(timestamp: number): AccessUnit | undefined {
    const nals = this.#nals;
    const complete = this.#hasPicture;
    this.#nals = [];
    this.#bytes = 0;
    this.#hasPicture = false;
    return complete ? accessUnit(nals, timestamp) : undefined;
  }
}

/** Whether this NAL unit, coming after a picture, belongs to the next unit. */
function beginsUnit(nal: Uint8Array): boolean {
  const type = nalType(nal);
  if (isPicture(nal)) return startsPicture(nal);
  return (type >= NAL.sei && type <= NAL.delimiter) || (type >= 14 && type <= 18);
}
