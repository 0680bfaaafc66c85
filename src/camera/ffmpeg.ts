/**
 * What ffmpeg is asked for where a camera gives something that browsers do not take as it is. Only
 * then: H.264 passes untouched. Encodes on the board's own encoder where it has one.
 */
import { readdirSync, readFileSync } from "node:fs";
import type { PictureOptions } from "./picture_options.ts";
import { CameraError } from "./source.ts";

/** Says what to install where it is missing. */
export const FFMPEG_REMEDY = "install ffmpeg (5.1 or newer), or set the camera to H.264";

const VIDEO_DEVICES = "/sys/class/video4linux";
const DEFAULT_BITRATE = 3_000_000;
const KEY_SECONDS = 2;

/** Of a picture: 8K, which no camera sends, is 33 million. */
const MAX_PIXELS = 36_000_000;

/** Quiet, and no delay before the first picture. */
export const FFMPEG_START: readonly string[] = [
  ...["-nostdin", "-hide_banner", "-loglevel", "error"],
  ...["-max_pixels", String(MAX_PIXELS)], // a header of some bytes may name gigabytes of picture
  ...["-flags", "low_delay"], // not "nobuffer": it throws away what the first look at the input read
  ...["-analyzeduration", "100000", "-fpsprobesize", "0"], // µs: pictures say themselves what they are
];

/** Whether this board has an encoder that ffmpeg reaches by V4L2, as Raspberry Pi up to the 4 do. */
export function hasHardwareEncoder(devices = VIDEO_DEVICES): boolean {
  try {
    return readdirSync(devices).some((name) =>
      /encode|encoder|hantro.*enc/i.test(readFileSync(`${devices}/${name}/name`, "utf8"))
    );
  } catch {
    return false; // no such devices here
  }
}

/**
 * Everything behind the input: H.264 that every browser takes, a key frame every two seconds, each
 * picture written as soon as it is there.
 */
export function encodeArguments(
  { bitrate = DEFAULT_BITRATE, rotation = 0 }: PictureOptions,
  { hardware }: { readonly hardware: boolean },
): string[] {
  const upright = rotation === 180 ? "hflip,vflip," : "";
  const filter = `${upright}scale=trunc(iw/2)*2:trunc(ih/2)*2:out_range=tv,format=yuv420p`;
  const encoder = hardware
    ? ["-c:v", "h264_v4l2m2m", "-b:v", String(bitrate)]
    : ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", ...limits(bitrate)];
  return [
    ...["-an", "-sn", "-vf", filter, "-fps_mode", "passthrough"],
    ...encoder,
    ...["-profile:v", "baseline", "-bf", "0", "-g", "600"],
    ...["-force_key_frames", `expr:gte(t,n_forced*${KEY_SECONDS})`],
    ...["-f", "flv", "-flvflags", "no_duration_filesize", "-flush_packets", "1", "pipe:1"],
  ];
}

function limits(bitrate: number): string[] {
  return ["-crf", "23", "-maxrate", String(bitrate), "-bufsize", String(bitrate)];
}

/** What ffmpeg's last words mean to a person; undefined: nothing in particular. */
export function explainFfmpeg(words: string): CameraError | undefined {
  const known = WORDS.find(([pattern]) => pattern.test(words));
  return known && new CameraError(known[1], `Cannot show camera: ${known[2]}`);
}

const WORDS:
  readonly (readonly [RegExp, "unreachable" | "busy" | "broken" | "unsupported", string])[] = [
    [/Device or resource busy/i, "busy", "another program uses the camera: end that one"],
    [
      /No such (file or directory|device)/i,
      "unreachable",
      "there is no such device: check its cable and its name",
    ],
    [/Permission denied/i, "broken", "porthole may not open it: add its user to group video"],
    [
      /Unrecognized option 'fps_mode'|Unknown encoder/i,
      "unsupported",
      `this ffmpeg cannot do it: ${FFMPEG_REMEDY}`,
    ],
    [
      /Inappropriate ioctl|Not a video capture device/i,
      "unsupported",
      "it is no camera: name another device",
    ],
  ];
