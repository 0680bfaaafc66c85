/**
 * The options behind a local camera's name: `libcamera:0,size=1280x720,fps=30`. Pure. Messages name
 * the option and what it may be.
 */

const MAX_CHARACTERS = 1024;
const MAX_SIDE_PIXELS = 8192;
const MAX_FPS = 240;
const MAX_BITRATE = 100_000_000;
const MAX_INTRA_FRAMES = 1000;

/** What a person may ask of a camera; what is absent is the camera's own choice. */
export interface PictureOptions {
  readonly size?: { readonly width: number; readonly height: number };
  /** Frames a second. */
  readonly fps?: number;
  /** Bits a second. */
  readonly bitrate?: number;
  /** Degrees; upside down or not. */
  readonly rotation?: 0 | 180;
  /** Frames from one key frame to the next. */
  readonly intra?: number;
  readonly format?: "h264" | "mjpeg" | "raw";
}

type Name = keyof PictureOptions;

const READERS: { readonly [N in Name]: (text: string) => PictureOptions[N] } = {
  size: (text) => {
    const [, width, height] = /^(\d{1,5})x(\d{1,5})$/.exec(text) ?? [];
    const size = { width: Number(width), height: Number(height) };
    const good = [size.width, size.height].every((side) => side >= 16 && side <= MAX_SIDE_PIXELS);
    return good ? size : undefined;
  },
  fps: (text) => within(text, { least: 0.1, most: MAX_FPS }),
  bitrate: (text) => {
    const [, number = "", unit = ""] = /^(\d{1,9}(?:\.\d{1,3})?)([kM]?)$/.exec(text) ?? [];
    const bits = Number(number || NaN) * (unit === "M" ? 1e6 : unit === "k" ? 1e3 : 1);
    return bits >= 10_000 && bits <= MAX_BITRATE ? Math.round(bits) : undefined;
  },
  rotation: (text) => text === "0" ? 0 : text === "180" ? 180 : undefined,
  intra: (text) =>
    /^\d+$/.test(text) ? within(text, { least: 1, most: MAX_INTRA_FRAMES }) : undefined,
  format: (text) => text === "h264" || text === "mjpeg" || text === "raw" ? text : undefined,
};

const EXPECTED: { readonly [N in Name]: string } = {
  size: "as in 1280x720",
  fps: `frames a second, 0.1 to ${MAX_FPS}`,
  bitrate: "bits a second, as in 4M or 800k",
  rotation: "0 or 180",
  intra: `frames from key frame to key frame, 1 to ${MAX_INTRA_FRAMES}`,
  format: "h264, mjpeg or raw",
};

/**
 * Reads `place,name=value,…`. Throws a TypeError that says what to change. `allowed` are the options
 * that this kind of camera has.
 */
export function readPictureOptions(
  text: string,
  allowed: readonly Name[],
): { readonly place: string; readonly options: PictureOptions } {
  if (text.length > MAX_CHARACTERS) throw refusal("it is too long");
  const parts = text.split(",").map((part) => part.trim());
  const place = parts[0]!.includes("=") ? "" : parts.shift()!;
  const options: Record<string, unknown> = {};
  for (const part of parts.filter((part) => part !== "")) {
    const equals = part.indexOf("=");
    const name = allowed.find((one) => one === part.slice(0, equals));
    if (name === undefined) {
      throw refusal(`its options are ${allowed.join(", ")}, as in ${EXAMPLE}`);
    }
    if (name in options) throw refusal(`${name} is given twice`);
    const value = READERS[name](part.slice(equals + 1));
    if (value === undefined) throw refusal(`${name} is not right: expected ${EXPECTED[name]}`);
    options[name] = value;
  }
  return { place, options };
}

const EXAMPLE = "size=1280x720,fps=30";

function within(
  text: string,
  { least, most }: { least: number; most: number },
): number | undefined {
  const value = /^\d{1,4}(\.\d{1,3})?$/.test(text) ? Number(text) : NaN;
  return value >= least && value <= most ? value : undefined;
}

function refusal(reason: string): TypeError {
  return new TypeError(`Cannot read camera source: ${reason}`);
}
