/**
 * The `v4l2:` camera: what is plugged in by USB, or any other video device of Linux, by ffmpeg.
 * H.264 of the camera passes as it comes; MJPEG and raw pictures are encoded, on the board's own
 * encoder where it has one. Without a format in the options the camera is asked what it has.
 */
import { AnnexBReader } from "./annexb_reader.ts";
import { type Clock, SYSTEM_CLOCK } from "./clock.ts";
import {
  encodeArguments,
  explainFfmpeg,
  FFMPEG_REMEDY,
  FFMPEG_START,
  hasHardwareEncoder,
} from "./ffmpeg.ts";
import { FlvReader } from "./flv.ts";
import { listV4l2Formats } from "./v4l2_formats.ts";
import type { PictureOptions } from "./picture_options.ts";
import { Program, ProgramMissing } from "./program.ts";
import { CameraError, type Source, type UnitSink } from "./source.ts";

export interface V4l2Config {
  /** As in `/dev/video0`. */
  readonly device: string;
  readonly options: PictureOptions;
}

export class V4l2Source implements Source {
  readonly #config: V4l2Config;
  readonly #clock: Clock;
  readonly #program: string;
  #hardware: boolean;

  constructor(
    config: V4l2Config,
    options: { clock?: Clock; program?: string; hardware?: boolean } = {},
  ) {
    this.#config = config;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#program = options.program ?? "ffmpeg";
    this.#hardware = options.hardware ?? hasHardwareEncoder();
  }

  async run(sink: UnitSink, signal: AbortSignal): Promise<void> {
    const error = await this.#play(sink, signal);
    if (signal.aborted) return;
    throw error instanceof ProgramMissing
      ? new CameraError("broken", `Cannot start camera: ffmpeg is missing: ${FFMPEG_REMEDY}`)
      : error;
  }

  async #play(sink: UnitSink, signal: AbortSignal): Promise<CameraError> {
    const { device, options } = this.#config;
    const { format = await this.#ask(signal) } = options;
    if (signal.aborted || format instanceof CameraError) return format as CameraError;
    let pictures = 0;
    const counting: UnitSink = {
      unit: (unit) => {
        pictures++;
        sink.unit(unit);
      },
    };
    const hardware = this.#hardware;
    const error = await new Program({
      command: [this.#program, ...v4l2Arguments({ device, options }, { format, hardware })],
      clock: this.#clock,
      reader: format === "h264" ? new AnnexBReader() : new FlvReader(),
      sink: counting,
      explain: explainFfmpeg,
    }).run(signal);
    if (hardware && pictures === 0) this.#hardware = false; // the next try is without it
    return error;
  }

  /** What the camera has, the cheapest to pass on first. */
  async #ask(signal: AbortSignal): Promise<"h264" | "mjpeg" | "raw" | CameraError> {
    const parts = { program: this.#program, clock: this.#clock };
    const formats = await listV4l2Formats(this.#config.device, { ...parts, signal });
    if (formats instanceof CameraError) return formats;
    return (["h264", "mjpeg", "raw"] as const).find((one) => formats.has(one)) ??
      new CameraError(
        "unsupported",
        "Cannot show camera: it has neither H.264, MJPEG nor raw pictures",
      );
  }
}

/** What ffmpeg is started with. */
export function v4l2Arguments(
  { device, options }: V4l2Config,
  { format, hardware }: { readonly format: "h264" | "mjpeg" | "raw"; readonly hardware: boolean },
): string[] {
  const { size, fps } = options;
  return [
    ...FFMPEG_START,
    ...["-f", "v4l2", ...(format === "raw" ? [] : ["-input_format", format])],
    ...(size === undefined ? [] : ["-video_size", `${size.width}x${size.height}`]),
    ...(fps === undefined ? [] : ["-framerate", String(fps)]),
    ...["-i", device],
    ...(format === "h264"
      ? ["-c:v", "copy", "-an", "-f", "h264", "-flush_packets", "1", "pipe:1"]
      : encodeArguments(options, { hardware })),
  ];
}
