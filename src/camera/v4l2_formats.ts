/** Asks ffmpeg which formats a video device has. */
import type { Clock } from "./clock.ts";
import { explainFfmpeg } from "./ffmpeg.ts";
import { Program, ProgramMissing } from "./program.ts";
import { CameraError } from "./source.ts";

export type V4l2Format = "h264" | "mjpeg" | "raw";

/** Gives the formats, or why they cannot be told. Never rejects. */
export async function listV4l2Formats(
  device: string,
  options: { program: string; clock: Clock; signal: AbortSignal },
): Promise<ReadonlySet<V4l2Format> | CameraError> {
  const { program, clock, signal } = options;
  let heard = "";
  const error = await new Program({
    command: [
      program,
      "-hide_banner",
      "-nostdin",
      "-f",
      "v4l2",
      "-list_formats",
      "all",
      "-i",
      device,
    ],
    clock,
    reader: { push: () => [] },
    sink: { unit() {} },
    explain: (words) => {
      heard = words; // ffmpeg lists on its standard error and then fails, as there is nothing to do
      return explainFfmpeg(words.replaceAll(/^.*(Compressed|Raw).*$/gm, ""));
    },
  }).run(signal);
  const formats = readV4l2Formats(heard);
  return formats.size === 0 || error instanceof ProgramMissing ? error : formats;
}

/** Reads lines as `[video4linux2,v4l2 @ 0x…] Compressed: h264 : H.264 : 1920x1080`. Pure. */
export function readV4l2Formats(text: string): ReadonlySet<V4l2Format> {
  const formats = new Set<V4l2Format>();
  for (const [, kind, name] of text.matchAll(/\] (Compressed|Raw)\s*:\s*([\w-]+)\s*:/g)) {
    if (kind === "Raw") formats.add("raw");
    else if (name === "h264" || name === "mjpeg") formats.add(name);
  }
  return formats;
}
