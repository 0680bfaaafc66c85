/**
 * The cameras of this device. `main` reads the configuration with `parseSource`, calls
 * `createCameras` once and hands the result to the agent, which matches it by structure (`Cameras`
 * of agent/seams.ts).
 */
import type { Log } from "../lib/log.ts";
import { type Clock, SYSTEM_CLOCK } from "./clock.ts";
import { ExecSource } from "./exec.ts";
import type { VideoFrame } from "./frame_preparer.ts";
import { HttpSource } from "./http/source.ts";
import { type CameraFeed, CameraHub } from "./hub.ts";
import { LibcameraSource } from "./libcamera.ts";
import type { SourceConfig } from "./parse_source.ts";
import { RtspSource } from "./rtsp/source.ts";
import { jpegOf } from "./snapshot.ts";
import { type CameraCode, CameraError, type Source } from "./source.ts";
import { TestSource } from "./test_source.ts";
import { V4l2Source } from "./v4l2.ts";
import type { CameraListener } from "./viewer.ts";

export interface CameraConfig {
  readonly id: string;
  readonly title: string;
  readonly source: SourceConfig;
}

export interface CameraOptions {
  readonly log: Log;
  /** H.264 in Annex B for `test:` cameras: the bytes of test_clip.h264. */
  readonly testClip: Uint8Array;
  readonly clock?: Clock;
  /** In [0, 1), for jitter. */
  readonly random?: () => number;
}

export interface Cameras {
  list(): readonly { readonly id: string; readonly title: string }[];
  /**
   * Starts the source if this is its first viewer, and resolves when there is a picture. Failures
   * go to `listener`, and the source is tried again. Rejects when aborted, or with a CameraError:
   * `unknown` for a foreign id, `busy` above the limit of viewers, `ended` after `close`.
   */
  open(camera: string, listener: CameraListener, signal: AbortSignal): Promise<CameraFeed>;
  /**
   * One JPEG of what the camera shows now; starts the source if nobody watches. Rejects when aborted,
   * or with a CameraError that says what a person can do.
   */
  snapshot(camera: string, signal: AbortSignal): Promise<Uint8Array>;
  /** Stops all sources. Resolves when everything is released. */
  close(): Promise<void>;
}

/**
 * Makes the cameras; none is touched before its first viewer. Throws a RangeError for an id that
 * comes twice.
 */
export function createCameras(configs: readonly CameraConfig[], options: CameraOptions): Cameras {
  const { log, clock = SYSTEM_CLOCK, random = Math.random } = options;
  const hubs = new Map<string, CameraHub>();
  const sources = new Map<string, Source>();
  for (const { id, source } of configs) {
    if (hubs.has(id)) throw new RangeError(`Cannot add camera "${id}": the id is taken`);
    const made = createSource(source, { clock, testClip: options.testClip });
    sources.set(id, made);
    hubs.set(id, new CameraHub({ camera: id, source: made, log, clock, random }));
  }
  const names = configs.map(({ id, title }) => ({ id, title }));
  return {
    list: () => names,
    open: (camera, listener, signal) => openCamera(hubs.get(camera), listener, signal),
    snapshot: async (camera, signal) => {
      const still = await sources.get(camera)?.still?.(signal);
      return still ?? await shoot(hubs.get(camera), { clock, signal });
    },
    close: async () => void await Promise.all([...hubs.values()].map((hub) => hub.close())),
  };
}

async function openCamera(
  hub: CameraHub | undefined,
  listener: CameraListener,
  signal: AbortSignal,
): Promise<CameraFeed> {
  if (hub === undefined) throw new CameraError("unknown", "Cannot open camera: no such id");
  return await hub.open(listener, signal);
}

/** Looks at the camera for as long as it takes to have a picture. */
async function shoot(
  hub: CameraHub | undefined,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<Uint8Array> {
  const stop = new AbortController();
  const onAbort = () => stop.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    const feed = await openCamera(hub, {
      state: (state, code) => {
        if (code !== undefined) stop.abort(noPicture(code));
        else if (state === "failed") stop.abort(noPicture("broken"));
      },
    }, stop.signal);
    return await jpegOf(await framesOf(feed, stop.signal), { clock, signal: stop.signal });
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** The frames since the last key frame; closes the feed. */
function framesOf(feed: CameraFeed, signal: AbortSignal): Promise<VideoFrame[]> {
  const frames: VideoFrame[] = [];
  const first = Promise.withResolvers<void>();
  const onAbort = () => first.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  feed.play({
    sendFrame(frame) {
      frames.push(frame);
      first.resolve();
    },
  });
  return first.promise.then(() => frames).finally(() => {
    signal.removeEventListener("abort", onAbort);
    feed.close();
  });
}

function noPicture(code: CameraCode): CameraError {
  return new CameraError(
    code,
    `Cannot take a picture: the camera gives none (${code}): the log of porthole says more`,
  );
}

function createSource(
  config: SourceConfig,
  parts: { clock: Clock; testClip: Uint8Array },
): Source {
  const { clock } = parts;
  switch (config.type) {
    case "rtsp":
      return new RtspSource(config.target, { ...config, clock });
    case "http":
      return new HttpSource(config.target, { clock });
    case "libcamera":
      return new LibcameraSource(config, { clock });
    case "v4l2":
      return new V4l2Source(config, { clock });
    case "exec":
      return new ExecSource(config.command, clock);
    case "test":
      return new TestSource(parts.testClip, clock);
  }
}
