/** What a person writes as a camera's `source`, as a checked value. Pure. */
import { splitCommand } from "./command_line.ts";
import { type HttpTarget, parseHttpUrl } from "./http/url.ts";
import type { LibcameraConfig } from "./libcamera.ts";
import { readPictureOptions } from "./picture_options.ts";
import type { CameraTrust } from "./rtsp/client.ts";
import type { Transport } from "./rtsp/transport.ts";
import { parseRtspUrl, type RtspTarget } from "./rtsp/url.ts";
import type { V4l2Config } from "./v4l2.ts";

export type SourceConfig =
  | {
    readonly type: "rtsp";
    readonly target: RtspTarget;
    readonly transport: Transport;
    readonly trust?: CameraTrust;
  }
  | { readonly type: "http"; readonly target: HttpTarget }
  | ({ readonly type: "libcamera" } & LibcameraConfig)
  | ({ readonly type: "v4l2" } & V4l2Config)
  | { readonly type: "exec"; readonly command: readonly string[] }
  | { readonly type: "test" };

export interface SourceOptions {
  /** What an RTSP camera is asked for first; `tcp` unless told. */
  readonly transport?: string;
  /** rtsps: SHA-256 of the camera's certificate, 64 hexadecimal digits. */
  readonly pin?: string;
  /** rtsps: whether the certificate has to be trusted; true unless told. */
  readonly verify?: boolean;
}

const SCHEMES = "rtsp://, rtsps://, http://, https://, libcamera:, v4l2:, exec: or test:";

/**
 * Reads a source. Throws a TypeError or RangeError whose message says what to change and never
 * repeats the text, which may hold a password.
 */
export function parseSource(text: string, options: SourceOptions = {}): SourceConfig {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]{0,20}):/.exec(text)?.[1]?.toLowerCase();
  const transport = readTransportName(options.transport ?? "tcp");
  const trust = readTrust(options);
  if (trust !== undefined && scheme !== "rtsps") {
    throw new TypeError("Cannot read camera: pin and verify are for rtsps sources only");
  }
  if (scheme === "rtsp" || scheme === "rtsps") {
    const target = parseRtspUrl(text);
    return { type: "rtsp", target, transport, ...(trust === undefined ? {} : { trust }) };
  }
  if (options.transport !== undefined) {
    throw new TypeError("Cannot read camera: transport is for rtsp sources only: leave it out");
  }
  const rest = text.slice((scheme?.length ?? 0) + 1);
  if (scheme === "http" || scheme === "https") return { type: "http", target: parseHttpUrl(text) };
  if (scheme === "libcamera") return { type: "libcamera", ...readLibcamera(rest) };
  if (scheme === "v4l2") return { type: "v4l2", ...readV4l2(rest) };
  if (scheme === "exec") return { type: "exec", command: splitCommand(rest) };
  if (scheme === "test") return readTest(rest);
  throw new RangeError(`Cannot read camera source: it does not start with one of ${SCHEMES}`);
}

function readTransportName(text: string): Transport {
  if (text === "tcp" || text === "udp") return text;
  throw new RangeError('Cannot read camera transport: it is neither "tcp" nor "udp"');
}

function readTrust({ pin, verify = true }: SourceOptions): CameraTrust | undefined {
  if (pin !== undefined && !verify) {
    throw new TypeError("Cannot read camera: pin and verify = false exclude each other");
  }
  if (pin === undefined) return verify ? undefined : { type: "unverified" };
  const sha256 = pin.replaceAll(":", "").toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(sha256)) {
    throw new TypeError("Cannot read camera: pin is no SHA-256: expected 64 hexadecimal digits");
  }
  return { type: "pinned", sha256 };
}

function readLibcamera(text: string): LibcameraConfig {
  const allowed = ["size", "fps", "bitrate", "rotation", "intra"] as const;
  const { place, options } = readPictureOptions(text, allowed);
  if (!/^\d{0,2}$/.test(place)) {
    throw new TypeError('Cannot read camera source: after "libcamera:" comes the camera\'s number');
  }
  return { index: Number(place), options };
}

function readV4l2(text: string): V4l2Config {
  const allowed = ["size", "fps", "bitrate", "rotation", "format"] as const;
  const { place, options } = readPictureOptions(text, allowed);
  if (!/^\/dev\/[\w./-]{1,200}$/.test(place) || place.includes("..")) {
    throw new TypeError(
      "Cannot read camera source: name the device, as in v4l2:/dev/video0,size=1280x720",
    );
  }
  return { device: place, options };
}

function readTest(rest: string): SourceConfig {
  if (rest === "") return { type: "test" };
  throw new TypeError('Cannot read camera source: nothing may follow "test:"');
}
