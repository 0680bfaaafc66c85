/** What a person writes as a camera's `source`, as a checked value. Pure. */
import { splitCommand } from "./command_line.ts";
import type { Transport } from "./rtsp/transport.ts";
import { parseRtspUrl, type RtspTarget } from "./rtsp/url.ts";

export type SourceConfig =
  | { readonly type: "rtsp"; readonly target: RtspTarget; readonly transport: Transport }
  | { readonly type: "exec"; readonly command: readonly string[] }
  | { readonly type: "test" };

export interface SourceOptions {
  /** What an RTSP camera is asked for first; `tcp` unless told. */
  readonly transport?: string;
}

/**
 * Reads `rtsp://…`, `rtsps://…`, `exec:command …` or `test:`. Throws a TypeError or RangeError
 * whose message says what to change and never repeats the text, which may hold a password.
 */
export function parseSource(text: string, options: SourceOptions = {}): SourceConfig {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]{0,20}):/.exec(text)?.[1]?.toLowerCase();
  const transport = readTransportName(options.transport ?? "tcp");
  if (scheme === "rtsp" || scheme === "rtsps") {
    return { type: "rtsp", target: parseRtspUrl(text), transport };
  }
  if (options.transport !== undefined) {
    throw new TypeError("Cannot read camera: transport is for rtsp sources only: leave it out");
  }
  if (scheme === "exec") return { type: "exec", command: splitCommand(text.slice("exec:".length)) };
  if (scheme === "test") return readTest(text);
  const known = "rtsp://, rtsps://, exec: or test:";
  throw new RangeError(`Cannot read camera source: it does not start with one of ${known}`);
}

function readTransportName(text: string): Transport {
  if (text === "tcp" || text === "udp") return text;
  throw new RangeError('Cannot read camera transport: it is neither "tcp" nor "udp"');
}

function readTest(text: string): SourceConfig {
  if (text.length === "test:".length) return { type: "test" };
  throw new TypeError('Cannot read camera source: nothing may follow "test:"');
}
