/**
 * H.265 of a camera, made H.264 by ffmpeg: browsers that take H.265 over WebRTC are few, and need
 * hardware for it. It costs a core or more: a camera that can be set to H.264 is better set to it.
 */
import { concat } from "../lib/bytes.ts";
import type { Clock } from "./clock.ts";
import {
  encodeArguments,
  explainFfmpeg,
  FFMPEG_REMEDY,
  FFMPEG_START,
  hasHardwareEncoder,
} from "./ffmpeg.ts";
import { FlvReader } from "./flv.ts";
import { Program, ProgramMissing } from "./program.ts";
import { type AccessUnit, CameraError, type UnitSink } from "./source.ts";

const START_CODE = Uint8Array.of(0, 0, 0, 1);
/** Access unit delimiter (H.265 7.3.2.5): behind each picture, so that ffmpeg sees its end at once. */
const DELIMITER = Uint8Array.of(0, 0, 0, 1, 0x46, 0x01, 0x50);
/** The first key frame may take this long (hub.ts waits no longer), and it needs one. */
const SILENCE_MS = 30_000;

export interface EncoderOptions {
  readonly clock: Clock;
  /** Gets H.264. */
  readonly sink: UnitSink;
  readonly program?: string;
}

export class H265Encoder implements UnitSink {
  readonly #program: Program;
  #awaitsKey = true;

  constructor({ clock, sink, program = "ffmpeg" }: EncoderOptions) {
    this.#program = new Program({
      command: [
        program,
        ...FFMPEG_START.filter((word) => word !== "-nostdin"),
        ...["-use_wallclock_as_timestamps", "1", "-f", "hevc", "-i", "pipe:0"],
        ...encodeArguments({}, { hardware: hasHardwareEncoder() }),
      ],
      ...{ clock, sink, reader: new FlvReader(), isFed: true, silenceMs: SILENCE_MS },
      explain: explainFfmpeg,
    });
  }

  /** Resolves with the reason once ffmpeg is gone. */
  async run(signal: AbortSignal): Promise<CameraError> {
    const error = await this.#program.run(signal);
    if (!(error instanceof ProgramMissing)) return error;
    const what = "the camera sends H.265, and ffmpeg, which makes H.264 of it, is missing";
    return new CameraError("unsupported", `Cannot show camera: ${what}: ${FFMPEG_REMEDY}`);
  }

  /** Where ffmpeg does not keep up, pictures up to the next key frame are left out. */
  unit({ nals, keyFrame }: AccessUnit): void {
    const isPicture = nals.some((nal) => (nal[0]! >> 1 & 0x3f) <= 31);
    if (isPicture && this.#awaitsKey && !keyFrame) return;
    const bytes = concat(
      ...nals.flatMap((nal) => [START_CODE, nal]),
      ...(isPicture ? [DELIMITER] : []),
    );
    const taken = bytes.length === 0 || this.#program.write(bytes);
    if (isPicture) this.#awaitsKey = !taken;
  }
}
