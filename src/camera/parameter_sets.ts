/**
 * The parameter sets that a decoder needs for the next key frame, the latest of each id. Pure and
 * bounded.
 */
import { BitReader } from "./bits.ts";
import { NAL, nalType } from "./nal.ts";
import { parseSps, type SequenceParameters } from "./sps.ts";

/** Cameras use one of each, a few use several picture sets. */
const MAX_SETS = 8;
/** With scaling lists and VUI a set is below 400 bytes. */
const MAX_SET_BYTES = 1024;

export class ParameterSets {
  readonly #sequence = new Map<number, Uint8Array>();
  readonly #picture = new Map<number, Uint8Array>();
  #parameters: SequenceParameters | undefined;

  /** What the latest sequence set says. */
  get parameters(): SequenceParameters | undefined {
    return this.#parameters;
  }

  /** Whether there is one of each kind. */
  get complete(): boolean {
    return this.#sequence.size > 0 && this.#picture.size > 0;
  }

  /** Keeps the NAL unit if it is a set that can be read. */
  take(nal: Uint8Array): void {
    if (nal.length > MAX_SET_BYTES) return;
    if (nalType(nal) === NAL.sps) this.#takeSequence(nal);
    if (nalType(nal) === NAL.pps) keep(this.#picture, pictureSetId(nal), nal);
  }

  /** All sets, sequence sets first. */
  all(): Uint8Array[] {
    return [...this.#sequence.values(), ...this.#picture.values()];
  }

  #takeSequence(nal: Uint8Array): void {
    const parameters = parseSps(nal);
    if (parameters === undefined) return;
    this.#parameters = parameters;
    keep(this.#sequence, parameters.id, nal);
  }
}

function keep(sets: Map<number, Uint8Array>, id: number, nal: Uint8Array): void {
  sets.delete(id);
  sets.set(id, nal);
  if (sets.size <= MAX_SETS) return;
  for (const oldest of sets.keys()) {
    sets.delete(oldest);
    return;
  }
}

function pictureSetId(nal: Uint8Array): number {
  return new BitReader(nal.subarray(1)).unsigned();
}
