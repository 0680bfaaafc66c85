/**
 * What a camera sends to what a viewer can be given: padding out, parameter sets in front of each
 * key frame, nothing before the first key frame, nothing that a browser would not decode. Pure; one
 * for each run of a source.
 */
import {
  isBidirectional,
  isDisposable,
  isPadding,
  isParameterSet,
  isPicture,
  NAL,
  nalType,
} from "./nal.ts";
import { packetize } from "./packetizer.ts";
import { ParameterSets } from "./parameter_sets.ts";
import { type AccessUnit, CameraError } from "./source.ts";
import type { SequenceParameters } from "./sps.ts";

/** H.264 access unit, cut into RTP payloads (RFC 6184 5). */
export interface VideoFrame {
  readonly payloads: readonly Uint8Array[];
  /** 90 kHz clock, unsigned 32 bits. */
  readonly timestamp: number;
  readonly keyFrame: boolean;
  /** From before the viewer came, or played again: to be caught up with. */
  readonly kept?: boolean;
}

export class FramePreparer {
  readonly #sets = new ParameterSets();
  #hasKey = false;
  #leftOut = 0;

  /** The sequence parameters in use; undefined before the first key frame. */
  get parameters(): SequenceParameters | undefined {
    return this.#hasKey ? this.#sets.parameters : undefined;
  }

  /** Pictures left out because the viewer's decoder would show them in the wrong order. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /**
   * The frame to send, if the unit gives one. Throws a CameraError `unsupported` for what no
   * browser shows.
   */
  prepare(unit: AccessUnit): VideoFrame | undefined {
    for (const nal of unit.nals) this.#sets.take(nal);
    if (!unit.nals.some(isPicture)) return undefined;
    if (unit.keyFrame) this.#startKey();
    if (!this.#hasKey || this.#isLeftOut(unit)) return undefined;
    const nals = this.#order(unit);
    return {
      payloads: packetize(nals),
      timestamp: unit.timestamp,
      keyFrame: unit.keyFrame,
    };
  }

  #startKey(): void {
    const parameters = this.#sets.parameters;
    this.#hasKey = parameters !== undefined && this.#sets.complete;
    if (parameters?.plainColour === false) {
      const remedy = "set it to 4:2:0 with 8 bits";
      throw new CameraError("unsupported", `Cannot show video: colour format: ${remedy}`);
    }
  }

  /**
   * B-frames come in an order that browsers do not undo. Where nothing refers to them they can be
   * left out.
   */
  #isLeftOut(unit: AccessUnit): boolean {
    const slices = unit.nals.filter(isBidirectional);
    if (slices.length === 0) return false;
    if (!slices.every(isDisposable)) {
      const remedy = "set the encoder's B-frames to 0 (ffmpeg: -bf 0)";
      throw new CameraError("unsupported", `Cannot show video: it refers to B-frames: ${remedy}`);
    }
    this.#leftOut++;
    return true;
  }

  #order(unit: AccessUnit): Uint8Array[] {
    const kept = unit.nals.filter((nal) => !isPadding(nal) && nalType(nal) <= NAL.filler);
    if (!unit.keyFrame) return kept;
    return [...this.#sets.all(), ...kept.filter((nal) => !isParameterSet(nal))];
  }
}
