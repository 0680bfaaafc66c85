/**
 * The cameras of this device. `main` reads the configuration with `parseSource`, calls
 * `createCameras` once and hands the result to the agent, which matches it by structure (`Cameras`
 * of agent/seams.ts).
 */
import type { Log } from "../lib/log.ts";
import { type Clock, SYSTEM_CLOCK } from "./clock.ts";
import { ExecSource } from "./exec.ts";
import { type CameraFeed, CameraHub } from "./hub.ts";
import type { SourceConfig } from "./parse_source.ts";
import { RtspSource } from "./rtsp/source.ts";
import { CameraError, type Source } from "./source.ts";
import { TestSource } from "./test_source.ts";
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
  for (const { id, source } of configs) {
    if (hubs.has(id)) throw new RangeError(`Cannot add camera "${id}": the id is taken`);
    const made = createSource(source, { clock, testClip: options.testClip });
    hubs.set(id, new CameraHub({ camera: id, source: made, log, clock, random }));
  }
  const names = configs.map(({ id, title }) => ({ id, title }));
  return {
    list: () => names,
    open: (camera, listener, signal) => openCamera(hubs.get(camera), listener, signal),
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

function createSource(
  config: SourceConfig,
  parts: { clock: Clock; testClip: Uint8Array },
): Source {
  switch (config.type) {
    case "rtsp":
      return new RtspSource(config.target, { transport: config.transport, clock: parts.clock });
    case "exec":
      return new ExecSource(config.command, parts.clock);
    case "test":
      return new TestSource(parts.testClip, parts.clock);
  }
}
