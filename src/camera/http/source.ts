/**
 * The `http://` camera: JPEG pictures become H.264 by ffmpeg, because browsers take video tracks in
 * no other way. ffmpeg gets pictures, never the address: a command line is for all to read, and the
 * address holds the password. A still picture for `porthole snapshot` is the camera's own.
 */
import { concat, utf8 } from "../../lib/bytes.ts";
import { type Clock, SYSTEM_CLOCK } from "../clock.ts";
import {
  encodeArguments,
  explainFfmpeg,
  FFMPEG_REMEDY,
  FFMPEG_START,
  hasHardwareEncoder,
} from "../ffmpeg.ts";
import { FlvReader } from "../flv.ts";
import type { PictureOptions } from "../picture_options.ts";
import { Program, ProgramMissing } from "../program.ts";
import { asCameraError, CameraError, type Source, type UnitSink } from "../source.ts";
import { PICTURE_LIMIT_MS, receiveOne, receivePictures } from "./pictures.ts";
import type { HttpTarget } from "./url.ts";

/** Between two stills, where nothing else is asked for. */
const STILL_INTERVAL_MS = 1000;

export interface HttpOptions {
  readonly clock?: Clock;
  readonly program?: string;
  readonly hardware?: boolean;
  readonly pictures?: PictureOptions;
}

export class HttpSource implements Source {
  readonly #target: HttpTarget;
  readonly #options: HttpOptions;
  readonly #clock: Clock;
  #hardware: boolean;

  constructor(target: HttpTarget, options: HttpOptions = {}) {
    this.#target = target;
    this.#options = options;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#hardware = options.hardware ?? hasHardwareEncoder();
  }

  async run(sink: UnitSink, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    let shown = 0;
    const encoder = this.#encoder({
      unit: (unit) => {
        shown++;
        sink.unit(unit);
      },
    });
    const stop = new AbortController();
    const onAbort = () => stop.abort();
    signal.addEventListener("abort", onAbort, { once: true });
    const pictures = receivePictures({
      target: this.#target,
      clock: this.#clock,
      signal: stop.signal,
      everyMs: this.#stillInterval(),
      // One that the encoder has no time for is left out: the next is newer.
      picture: (jpeg) => void encoder.write(asPart(jpeg)),
    }).then(() => {}, (error) => encoder.stop(asCameraError(error)));
    const error = await encoder.run(signal);
    stop.abort();
    await pictures;
    signal.removeEventListener("abort", onAbort);
    if (signal.aborted) return;
    if (shown === 0) this.#hardware = false; // the next try is without it
    throw error instanceof ProgramMissing ? withoutFfmpeg(error) : error;
  }

  /** The camera's own picture, as it is. Rejects with a CameraError. */
  async still(signal: AbortSignal): Promise<Uint8Array> {
    try {
      return await receiveOne(this.#target, { clock: this.#clock, signal });
    } catch (error) {
      throw asCameraError(error);
    }
  }

  #stillInterval(): number {
    const fps = this.#options.pictures?.fps;
    return fps === undefined ? STILL_INTERVAL_MS : 1000 / fps;
  }

  #encoder(sink: UnitSink): Program {
    const { program = "ffmpeg", pictures = {} } = this.#options;
    return new Program({
      command: [
        program,
        ...FFMPEG_START.filter((word) => word !== "-nostdin"),
        ...["-f", "mpjpeg", "-use_wallclock_as_timestamps", "1", "-i", "pipe:0"],
        ...encodeArguments(pictures, { hardware: this.#hardware }),
      ],
      clock: this.#clock,
      reader: new FlvReader(),
      sink,
      isFed: true,
      silenceMs: PICTURE_LIMIT_MS + this.#stillInterval(),
      explain: explainFfmpeg,
    });
  }
}

/** With its length in front, so that ffmpeg need not wait for the next to know where this one ends. */
function asPart(jpeg: Uint8Array): Uint8Array {
  const head = `--p\r\nContent-Type: image/jpeg\r\nContent-Length: ${jpeg.length}\r\n\r\n`;
  return concat(utf8(head), jpeg, utf8("\r\n"));
}

function withoutFfmpeg(cause: Error): CameraError {
  const what = "the camera gives JPEG pictures, and ffmpeg, which makes video of them, is missing";
  return new CameraError("unsupported", `Cannot show camera: ${what}: ${FFMPEG_REMEDY}`, { cause });
}
