/**
 * Connects the parts of a device: who comes in (`run_control.ts`), services and cameras, WebRTC sessions, the rendezvous
 * and the local admin socket.
 *
 *   rendezvous client --offer--> admissions --admission--> sessions --> services, cameras
 *   admin socket --pair, lend, revoke …--> household, lending
 */
import { readFile } from "node:fs/promises";
import { Sessions } from "./agent/sessions.ts";
import { createCameras } from "./camera/cameras.ts";
import { parseSource, type SourceConfig } from "./camera/parse_source.ts";
import { CameraError } from "./camera/source.ts";
import { type AdminLent, type AdminLink, type AdminStatus, startAdmin } from "./control/admin.ts";
import type { Identity } from "./control/identity.ts";
import type { LendTerms } from "./control/lending.ts";
import { NetworkWatch } from "./control/network_watch.ts";
import { RendezvousClient } from "./control/rendezvous_client.ts";
import { Seldom } from "./control/seldom.ts";
import type { Config, ServiceConfig } from "./config.ts";
import { createLog } from "./lib/log_sink.ts";
import { serveMetrics } from "./metrics/server.ts";
import type { Assets } from "./platform/assets.ts";
import { openDatagramSocket } from "./platform/datagram.ts";
import { type Control, createControl } from "./run_control.ts";
import { agentVerdict, lookFromInside } from "./run_doctor.ts";
import { deviceMetrics, Losses, WatchedCameras } from "./run_metrics.ts";
import { type Stops, withStops } from "./run_stops.ts";
import { contentLabel } from "./trust/content_label.ts";
import { createServices, type DeviceServices } from "./upstream/services.ts";
import { parseTarget, type Target } from "./upstream/target.ts";
import { createPeerFactory } from "./webrtc/peer.ts";

/** A browser's bad line, or its ill will, costs one question to the rendezvous in so long, in ms. */
const PATH_LOST_PAUSE_MS = 10_000;

/** How the parts read their own texts in the configuration. */
export const PARSERS = { target: parseTarget, source: parseSource };

export type DeviceConfig = Config<Target, SourceConfig>;

/** What the program brings along. */
export interface Made {
  readonly assets: Assets;
  /** Unix seconds (`DeviceClock`). */
  readonly builtAt: number | undefined;
}

/** A device that runs. */
export interface RunningDevice {
  readonly id: string;
  /** Resolves when the rendezvous has accepted us for the first time. */
  readonly registered: Promise<void>;
  pair(forMs: number): Promise<AdminLink>;
  /** Whether the parts that nobody waits for still do their work; where not, only a restart helps. */
  isHealthy(): boolean;
  /** Ends all sessions and lets go of everything. */
  close(): Promise<void>;
}

/** Starts a device. Throws an Error with a remedy, and leaves nothing running then. */
export function startDevice(config: DeviceConfig, made: Made): Promise<RunningDevice> {
  return withStops((stops) => connect(config, { made, stops }));
}

async function connect(
  config: DeviceConfig,
  { made, stops }: { made: Made; stops: Stops },
): Promise<Omit<RunningDevice, "close">> {
  const { assets, builtAt } = made;
  const surroundings = {
    hasRoom: () => !sessions.full,
    onAdmission: (admission: Parameters<Sessions["start"]>[0]) => sessions.start(admission),
    onPresenceChange: () => client.updatePresence(),
    onPeopleChange: () => client.updatePeople(),
  };
  const control = await createControl(config, { surroundings, stops, builtAt });
  const { identity, admissions } = control;
  const services = await startServices(config, identity);
  stops.push(() => services.close());
  const cameras = createCameras(config.cameras, {
    log: createLog("camera"),
    testClip: assets.get("camera/test_clip.h264")!.bytes, // readAssets gives all or throws
  });
  stops.push(() => cameras.close());
  const peers = createPeerFactory({ openSocket: openDatagramSocket, port: config.port });
  stops.push(() => peers.close());
  await peers.start();
  const watched = new WatchedCameras(cameras);
  const doubts = new Seldom(() => client.doubt(), PATH_LOST_PAUSE_MS);
  stops.push(() => doubts.stop());
  const sessions = new Sessions({
    name: config.name,
    createPeer: peers.createPeer,
    services,
    cameras: watched,
    log: createLog("agent"),
    pathLost: () => doubts.ask(),
  });
  stops.push(() => sessions.close());

  const registered = Promise.withResolvers<void>();
  const losses = new Losses();
  const client = new RendezvousClient({
    url: config.rendezvous,
    signer: identity.signer,
    presence: () => admissions.presence(),
    people: () => control.passes.shortTags(),
    mail: {
      receive: (peer, sealed) => {
        const link = {
          reply: (answer: typeof sealed) => void client.send(peer, answer),
          iceServers: client.iceServers,
        };
        void admissions.receive(peer, sealed, link); // never rejects
      },
      gone: (peer) => admissions.gone(peer),
    },
    log: createLog("control"),
    onState: (state) => {
      losses.take(state);
      if (state.kind === "registered") registered.resolve();
    },
  });
  if (config.metrics !== undefined) {
    const collect = () => deviceMetrics({ sessions, peers, cameras: watched, client, losses });
    const metrics = await serveMetrics(config.metrics, collect);
    stops.push(() => metrics.close());
    createLog("metrics").info("metrics.served", { port: metrics.port });
  }

  const links = new Links(control, () => shellOrigin(config.rendezvous, client.shell));
  const admin = await startAdmin({
    state: config.state,
    log: createLog("admin"),
    household: control.household,
    audit: control.audit,
    pair: (forMs) => links.pair(forMs),
    lend: (terms) => links.lend(terms),
    snapshot: (camera, signal) => cameras.snapshot(camera, signal).catch(forPeople),
    doctor: async () => ({
      findings: await lookFromInside(config, {
        agent: agentVerdict(client.state),
        publicKey: identity.signer.publicKey,
        services,
        cameras,
        servers: () => Promise.resolve(client.shell === undefined ? undefined : client.iceServers),
      }),
    }),
    status: (): AdminStatus => ({
      device: identity.name,
      fingerprint: identity.fingerprint,
      name: config.name,
      rendezvous: { url: config.rendezvous, state: client.state.kind },
      sessions: sessions.size,
      owners: control.household.owners().length,
      clock: control.clock.knowledge(),
      services: services.list().map(({ id }) => id),
      cameras: cameras.list().map(({ id }) => id),
    }),
  });
  stops.push(() => admin.close());

  await control.start();
  const network = new NetworkWatch((addresses) => client.doubt(addresses));
  network.start();
  stops.push(() => network.stop());
  const stop = new AbortController();
  let isDialling = true;
  const running = client.run(stop.signal).finally(() => isDialling = false);
  stops.push(() => {
    stop.abort();
    return running;
  });
  return {
    id: identity.name,
    registered: registered.promise,
    pair: (forMs) => links.pair(forMs),
    isHealthy: () => isDialling && control.isBeating(),
  };
}

/** What a camera lacks is for the person who asked. */
function forPeople(error: unknown): never {
  if (error instanceof CameraError) throw new RangeError(error.message, { cause: error });
  const late = error instanceof DOMException && error.name === "TimeoutError";
  if (late) throw new RangeError("Cannot take a picture: none came in time", { cause: error });
  throw error;
}

/** The services of a configuration; `identity` is whose pages they are. */
export async function startServices(
  config: DeviceConfig,
  identity: Pick<Identity, "id">,
): Promise<DeviceServices> {
  const labels = new Map<string, string>();
  for (const { id } of config.services) labels.set(id, await contentLabel(identity.id, id));
  const services = await Promise.all(config.services.map(withTrust));
  return createServices(services, {
    log: createLog("upstream"),
    isContentOrigin: (service, origin) =>
      URL.parse(origin)?.hostname.split(".")[0] === labels.get(service),
  });
}

/** What `ca`, `pin` and `verify` say becomes part of the target. */
async function withTrust(service: ServiceConfig<Target>) {
  const { id, title, target, ca, pin, verify, host } = service;
  const common = host === undefined ? { id, title } : { id, title, host };
  if (target.type !== "https") return { ...common, target };
  if (pin !== undefined) {
    return { ...common, target: { ...target, tls: { type: "pinned", sha256: pin } as const } };
  }
  if (!verify) return { ...common, target: { ...target, tls: { type: "unverified" } as const } };
  if (ca === undefined) return { ...common, target };
  return {
    ...common,
    target: { ...target, tls: { type: "ca", pem: await readCa(id, ca) } as const },
  };
}

async function readCa(service: string, file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new Error(
      `Cannot read the certificates for service '${service}' in '${file}': correct 'ca', or make the file readable`,
      { cause },
    );
  }
}

/**
 * Where pairing links lead: to the shell that the rendezvous named, unless that would be less protected than our own
 * connection to it; else to the rendezvous itself.
 */
function shellOrigin(rendezvous: string, named: string | undefined): string {
  const own = rendezvous.replace(/^ws/i, "http");
  const isWeaker = own.startsWith("https:") && named?.startsWith("https:") === false;
  return named === undefined || isWeaker ? own : named;
}

/** Links that let people in, made on this machine. Each leads to the shell and holds its secret behind `#`. */
class Links {
  readonly #control: Control;
  readonly #shell: () => string;

  constructor(control: Control, shell: () => string) {
    this.#control = control;
    this.#shell = shell;
  }

  /** Throws a RangeError, for people, where no window can be opened. */
  async pair(forMs: number): Promise<AdminLink> {
    const { id, fragment, expiresAt } = await this.#control.household.openPairing(forMs);
    return this.#link({ id, fragment, expires: Date.now() + (expiresAt - performance.now()) });
  }

  /** Throws a RangeError, for people, where it cannot be lent. */
  async lend(terms: LendTerms): Promise<AdminLent> {
    const { id, fragment, expires, begins } = await this.#control.lending.lend(terms);
    const link = this.#link({ id, fragment, expires: expires * 1000 });
    return begins === "now" ? link : { ...link, begins };
  }

  #link({ id, fragment, expires }: { id: string; fragment: string; expires: number }): AdminLink {
    const url = new URL("/", this.#shell());
    url.hash = fragment;
    return { url: url.href, id, expires: new Date(expires).toISOString() };
  }
}
