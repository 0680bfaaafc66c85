/** `porthole demo`: a rendezvous, a device and a sample service with a page, all in one process. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Invocation } from "./commands.ts";
import { type ConfigFile, parseConfig } from "./config.ts";
import { startSampleDevice } from "./demo/sample_device.ts";
import { createLog } from "./lib/log_sink.ts";
import type { Assets } from "./platform/assets.ts";
import type { AdminLink } from "./control/admin.ts";
import { type Made, PARSERS, startDevice } from "./run_device.ts";
import { localOrigins, makeRendezvous } from "./run_rendezvous.ts";
import { type Stops, withStops } from "./run_stops.ts";

/** The first link of a demo is open this long, in ms: somebody looks around first. */
const FIRST_WINDOW_MS = 60 * 60 * 1000;
const HOST = "127.0.0.1";

/** A demo that runs. */
export interface RunningDemo {
  readonly shell: string;
  readonly pairing: AdminLink;
  readonly device: string;
  readonly state: string;
  readonly services: readonly string[];
  readonly cameras: readonly string[];
  close(): Promise<void>;
}

/** Starts everything and waits until the device can be reached. Throws an Error with a remedy. */
export function startDemo(
  typed: Invocation & { command: "demo" },
  made: Made,
): Promise<RunningDemo> {
  return withStops((stops) => start(typed, { made, stops }));
}

async function start(
  typed: Invocation & { command: "demo" },
  { made, stops }: { made: Made; stops: Stops },
): Promise<Omit<RunningDemo, "close">> {
  const { assets } = made;
  const port = typed.port === 0 ? await freePort() : typed.port; // the origins name it before anyone listens
  const origins = localOrigins(port);
  const rendezvous = await makeRendezvous(
    { listen: { host: HOST, port }, stunUrls: [], turnUrls: [] },
    { origins, assets },
  );
  await rendezvous.listen();
  stops.push(() => rendezvous.close());

  const sample = await startSampleDevice({ site: demoSite(assets), log: createLog("demo") });
  stops.push(() => sample.close());

  const state = typed.flags.state ?? await temporaryState(stops);
  const config = parseConfig(sampleConfig(sample.port), {
    flags: { ...typed.flags, state },
    defaults: { name: "Workshop", rendezvous: `ws://${HOST}:${port}` },
    parsers: PARSERS,
  });
  const device = await startDevice(config, made);
  stops.push(() => device.close());
  await device.registered;
  const pairing = await device.pair(FIRST_WINDOW_MS);
  return {
    shell: `${origins.shell}/`,
    pairing,
    device: device.id,
    state,
    services: config.services.map(({ id }) => id),
    cameras: config.cameras.map(({ id }) => id),
  };
}

/** What a person would write for the sample device; what was typed is added, and wins where the id is the same. */
function sampleConfig(port: number): ConfigFile {
  const text = `
clock = "system"
[[service]]
id = "ui"
title = "Workshop controller"
target = "http://${HOST}:${port}"
[[camera]]
id = "test"
title = "Test picture"
source = "test:"
`;
  return { path: "the demo's configuration", text };
}

/** The files of the sample device, under the names by which it serves them. */
export function demoSite(assets: Assets): Assets {
  const prefix = "demo/";
  return new Map(
    [...assets].filter(([key]) => key.startsWith(prefix)).map((
      [key, asset],
    ) => [key.slice(prefix.length), asset]),
  );
}

async function temporaryState(stops: Stops): Promise<string> {
  const state = await mkdtemp(join(tmpdir(), "porthole-demo-"));
  stops.push(() => rm(state, { recursive: true, force: true }));
  return state;
}

/** A port that nobody has now. Somebody may take it before we do, and then listening says so. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, HOST, resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
