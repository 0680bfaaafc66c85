/**
 * Connects the parts of a device: identity, store, pairing and admission; services and cameras; WebRTC sessions; the
 * rendezvous and the local admin socket.
 *
 *   rendezvous client --offer--> admissions --admission--> sessions --> services, cameras
 *   admin socket --pair--> pairing
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Sessions } from "./agent/sessions.ts";
import { createCameras } from "./camera/cameras.ts";
import { parseSource, type SourceConfig } from "./camera/parse_source.ts";
import { type AdminStatus, startAdmin } from "./control/admin.ts";
import { Admissions } from "./control/admission.ts";
import { Identity } from "./control/identity.ts";
import { Pairing } from "./control/pairing.ts";
import { RendezvousClient } from "./control/rendezvous_client.ts";
import type { Config, ServiceConfig } from "./config.ts";
import { createLog } from "./lib/log_sink.ts";
import type { Assets } from "./platform/assets.ts";
import { openDatagramSocket } from "./platform/datagram.ts";
import { type Stops, withStops } from "./run_stops.ts";
import { Store } from "./store/store.ts";
import { contentLabel } from "./trust/content_label.ts";
import { createServices } from "./upstream/services.ts";
import { parseTarget, type Target } from "./upstream/target.ts";
import { createPeerFactory } from "./webrtc/peer.ts";

/** How the parts read their own texts in the configuration. */
export const PARSERS = { target: parseTarget, source: parseSource };

export type DeviceConfig = Config<Target, SourceConfig>;

/** A pairing link, as it is shown to a person. */
export interface PairOffer {
  /** A secret, for as long as it is open. */
  readonly url: string;
  readonly id: string;
  /** ISO 8601, by this device's clock. */
  readonly expires: string;
}

/** A device that runs. */
export interface RunningDevice {
  readonly id: string;
  /** Resolves when the rendezvous has accepted us for the first time. */
  readonly registered: Promise<void>;
  pair(forMs: number): Promise<PairOffer>;
  /** Ends all sessions and lets go of everything. */
  close(): Promise<void>;
}

/** Starts a device. Throws an Error with a remedy, and leaves nothing running then. */
export function startDevice(config: DeviceConfig, assets: Assets): Promise<RunningDevice> {
  return withStops((stops) => connect(config, { assets, stops }));
}

async function connect(
  config: DeviceConfig,
  { assets, stops }: { assets: Assets; stops: Stops },
): Promise<Omit<RunningDevice, "close">> {
  const identity = await Identity.load(config.state);
  const store = openStore(config.state);
  stops.push(() => store.close());
  const pairing = new Pairing(identity.signer);
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
  const sessions = new Sessions({
    name: config.name,
    createPeer: peers.createPeer,
    services,
    cameras,
    log: createLog("agent"),
  });
  stops.push(() => sessions.close());

  const registered = Promise.withResolvers<void>();
  const admissions = new Admissions({
    identity,
    owners: store,
    pairing,
    log: createLog("control"),
    now: () => performance.now(),
    unixTime: () => Math.floor(Date.now() / 1000),
    hasRoom: () => !sessions.full,
    onAdmission: (admission) => sessions.start(admission),
    onPresenceChange: () => client.updatePresence(),
  });
  const client = new RendezvousClient({
    url: config.rendezvous,
    signer: identity.signer,
    presence: () => admissions.presence(),
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
    onState: ({ kind }) => kind === "registered" && registered.resolve(),
  });

  const pair = (forMs: number) => {
    return openPairing(pairing, { forMs, shell: shellOrigin(config.rendezvous, client.shell) });
  };
  const status = (): AdminStatus => ({
    device: identity.name,
    name: config.name,
    rendezvous: { url: config.rendezvous, state: client.state.kind },
    sessions: sessions.size,
    owners: store.owners().length,
    services: services.list().map(({ id }) => id),
    cameras: cameras.list().map(({ id }) => id),
  });
  const admin = await startAdmin({ state: config.state, pair, status, log: createLog("admin") });
  stops.push(() => admin.close());

  const stop = new AbortController();
  const running = client.run(stop.signal);
  stops.push(() => {
    stop.abort();
    return running;
  });
  return { id: identity.name, registered: registered.promise, pair };
}

function openStore(state: string): Store {
  const store = Store.open(join(state, "porthole.db"));
  if (store.damaged !== undefined) {
    createLog("store").error("store.damaged", { movedTo: store.damaged.movedTo });
  }
  return store;
}

async function startServices(config: DeviceConfig, identity: Identity) {
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

async function openPairing(
  pairing: Pairing,
  { forMs, shell }: { forMs: number; shell: string },
): Promise<PairOffer> {
  const now = performance.now();
  const { id, fragment, expiresAt } = await pairing.open({ now, forMs });
  const url = new URL("/", shell);
  url.hash = fragment;
  return { url: url.href, id, expires: new Date(Date.now() + (expiresAt - now)).toISOString() };
}
