/**
 * `porthole doctor`: the doctor of `src/doctor`, connected to the rest. It runs inside the agent where one runs, since
 * that is whose network, rights and cameras count; else in the command itself, which then says that nothing runs.
 */
import { stat } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import type { AgentInvocation } from "./agent_commands.ts";
import { createCameras } from "./camera/cameras.ts";
import { CameraError } from "./camera/source.ts";
import { findState, loadConfig } from "./config.ts";
import { adminRequest, isNotRunning } from "./control/admin_client.ts";
import { Identity } from "./control/identity.ts";
import { importKey, type KeyAlgorithm, readKeyFile } from "./control/key_file.ts";
import { CLIENT_LIMITS } from "./control/rendezvous_limits.ts";
import { RendezvousLink } from "./control/rendezvous_link.ts";
import { probeRendezvous } from "./control/rendezvous_probe.ts";
import { diagnose } from "./doctor/doctor.ts";
import { bad, badLegs, type Finding, good, type Verdict } from "./doctor/finding.ts";
import type { DoctorParts, Probed } from "./doctor/parts.ts";
import type { Bytes } from "./lib/bytes.ts";
import { createLog } from "./lib/log_sink.ts";
import type { Assets } from "./platform/assets.ts";
import { openDatagramSocket } from "./platform/datagram.ts";
import type { IceServerEntry } from "./protocol/signal.ts";
import { type DeviceConfig, PARSERS, startServices } from "./run_device.ts";
import { checkDatabaseFile } from "./store/open_database.ts";
import { printJson, printLine } from "./terminal.ts";
import { randomBytes } from "./trust/digest.ts";
import { BOOT_NONCE_BYTES, signPresence } from "./trust/presence.ts";
import type { DeviceServices } from "./upstream/services.ts";
import { readIceServers, type RelayServer } from "./webrtc/ice_servers.ts";
import { askStun, natKind } from "./webrtc/nat_probe.ts";
import { allocate } from "./webrtc/relay.ts";

/** The slowest leg may take its whole limit twice; nothing takes longer. */
const DOCTOR_LIMIT_MS = 60_000;
const KEY_FILES: readonly (readonly [string, KeyAlgorithm])[] = [
  ["device_key.json", "Ed25519"],
  ["sealing_keys.json", "X25519"],
];
const SECRET_FILES = [...KEY_FILES.map(([name]) => name), "porthole.db"];
/** Paths that a camera's source may name; rates and the like have none. */
const DEVICE_PATH = /\/dev\/[A-Za-z0-9_/-]+/g;

/** What is there already, in the agent or in this command. */
export interface Living {
  readonly agent: Verdict;
  readonly publicKey?: Bytes;
  readonly services: Pick<DeviceServices, "request">;
  readonly cameras: Pick<ReturnType<typeof createCameras>, "open">;
  servers(signal: AbortSignal): Promise<readonly IceServerEntry[] | undefined>;
}

/** Asks the agent, or looks by itself. Throws an Error that names what is bad. */
export async function runDoctor(
  { flags, json }: AgentInvocation,
  assets: () => Promise<Assets>,
): Promise<void> {
  const state = await findState(flags);
  const findings = await askAgent(state) ?? await lookAlone(flags, await assets());
  if (json) printJson({ findings, bad: [...badLegs(findings)] });
  else findings.forEach(printFinding);
  const wrong = [...badLegs(findings)];
  if (wrong.length > 0) throw new Error(`Cannot say that all is well: see ${wrong.join(", ")}`);
}

/** All findings, from inside a device. */
export async function lookFromInside(config: DeviceConfig, living: Living): Promise<Finding[]> {
  return await diagnose(doctorParts(config, living));
}

async function askAgent(state: string): Promise<Finding[] | undefined> {
  try {
    const command = { method: "GET", path: "/doctor", limitMs: DOCTOR_LIMIT_MS } as const;
    const { findings } = await adminRequest(state, command);
    return findings as Finding[];
  } catch (error) {
    if (isNotRunning(error)) return undefined;
    throw error;
  }
}

async function lookAlone(
  flags: AgentInvocation["flags"],
  assets: Assets,
): Promise<Finding[]> {
  const config = await loadConfig({ flags, defaults: { name: hostname() }, parsers: PARSERS });
  const services = await startServices(config, await contentOwner(config.state));
  const cameras = createCameras(config.cameras, {
    log: createLog("camera"),
    testClip: assets.get("camera/test_clip.h264")!.bytes, // readAssets gives all or throws
  });
  try {
    return await lookFromInside(config, {
      agent: bad(
        `porthole does not run with '${config.state}'`,
        "start it: systemctl start porthole, or porthole run",
      ),
      services,
      cameras,
      servers: (signal) => registerOnce(config, signal),
    });
  } finally {
    services.close();
    await cameras.close();
  }
}

/* ---- the parts ------------------------------------------------------------------------------------------------ */

function doctorParts(config: DeviceConfig, living: Living): DoctorParts<RelayServer> {
  return {
    state: config.state,
    secretFiles: SECRET_FILES,
    agent: living.agent,
    checkIdentity: () => checkIdentity(config.state, living.publicKey),
    checkStore: () =>
      Promise.resolve().then(() => checkDatabaseFile(join(config.state, "porthole.db"))),
    probeRendezvous: (signal) => probeRendezvous(config.rendezvous, signal),
    servers: async (signal) => {
      const list = await living.servers(signal);
      if (list === undefined) return undefined;
      const { reflexive: stun, relays } = readIceServers(list);
      return { stun, relays };
    },
    network: {
      ask: async (server) => {
        const answer = await askStun(server, openDatagramSocket);
        return answer && { address: answer.mapped[0], ms: answer.ms };
      },
      natKind: (servers) => natKind(servers, openDatagramSocket),
      allocate: async (relay) => {
        const { protocol } = await allocate(relay, { openSocket: openDatagramSocket });
        await protocol.close?.();
      },
    },
    services: config.services.map(({ id }) => serviceProbe(id, living.services)),
    cameras: config.cameras.map(({ id }) => cameraProbe(id, living.cameras)),
    deviceFiles: config.cameras.flatMap(({ id, source }) =>
      [...new Set(JSON.stringify(source).match(DEVICE_PATH) ?? [])].map((path) => ({
        camera: id,
        path,
      }))
    ),
    now: () => Date.now(),
  };
}

/** Whether the keys on disk can be used, and are those of the identity that runs. */
async function checkIdentity(folder: string, running: Bytes | undefined): Promise<boolean> {
  for (const [name, algorithm] of KEY_FILES) {
    const path = join(folder, name);
    try {
      const [stored] = await readKeyFile(path, algorithm) ?? [];
      if (stored === undefined && name === SECRET_FILES[0] && running === undefined) return false;
      if (stored === undefined) throw new Error("it is not there");
      const { publicKey } = await importKey(stored, algorithm);
      const isOther = algorithm === "Ed25519" && running !== undefined &&
        publicKey.some((byte, index) => byte !== running[index]);
      if (isOther) throw new Error("it is another device's than the one that runs");
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`'${path}' cannot be used: ${why}. Restore it from a backup`, { cause });
    }
  }
  return true;
}

/** Any answer will do: what it says is the service's own matter. */
function serviceProbe(id: string, services: Living["services"]): Probed {
  return {
    id,
    probe: async (signal) => {
      const head = { kind: "http", service: id, method: "GET", path: "/", headers: [] } as const;
      const { body } = await services.request({ head, body: null }, signal);
      await body.cancel().catch(() => {});
    },
  };
}

/** A camera that failed a while ago waits before it is tried again: what it says then is old, and a new try counts. */
function cameraProbe(id: string, cameras: Living["cameras"]): Probed {
  return {
    id,
    probe: async (signal) => {
      const failed = Promise.withResolvers<never>();
      const leaving = new AbortController();
      let isTried = false;
      let code: string | undefined;
      const feed = cameras.open(id, {
        state: (state, why) => {
          if (state === "starting") isTried = true;
          code = why ?? code;
          if (isTried && (state === "waiting" || state === "failed")) failed.reject(new Error());
        },
      }, AbortSignal.any([signal, leaving.signal]));
      try {
        await Promise.race([feed, failed.promise]);
      } catch (error) {
        throw new Error(cameraText(error instanceof CameraError ? error.code : code));
      } finally {
        failed.promise.catch(() => {});
        leaving.abort();
        feed.then((opened) => opened.close(), () => {});
      }
    },
  };
}

const CAMERA_TEXTS: Readonly<Record<string, string>> = {
  unreachable: "it cannot be reached",
  unauthorised: "it refuses the user name or password of its 'source'",
  unsupported: "its video is not one that browsers show: set it to H.264",
  busy: "it has as many viewers as it takes",
  ended: "its stream ends by itself",
};

function cameraText(code: string | undefined): string {
  return CAMERA_TEXTS[code ?? ""] ?? "it gives no picture";
}

/** The servers that the rendezvous names are for those who register, so that is what this does, for a moment. */
async function registerOnce(
  { state, rendezvous }: DeviceConfig,
  signal: AbortSignal,
): Promise<readonly IceServerEntry[] | undefined> {
  const isKnown = await stat(join(state, KEY_FILES[0]![0])).then(() => true, () => false);
  if (!isKnown) return undefined;
  const { signer } = await Identity.load(state);
  const done = new AbortController();
  let found: readonly IceServerEntry[] | undefined;
  const nobody = { sealingKey: randomBytes(32), epoch: 1, sequence: 0, minVersion: 1 };
  const link = new RendezvousLink({
    url: `${rendezvous.replace(/\/$/, "")}/v1/device`,
    signer,
    presence: () => signPresence(signer, { ...nobody, bootNonce: randomBytes(BOOT_NONCE_BYTES) }),
    people: () => Promise.resolve(new Uint8Array(8)), // never told: it leaves as soon as it is in
    mail: { receive() {}, gone() {} },
    log: createLog("control"),
    limits: CLIENT_LIMITS,
    pingEveryMs: CLIENT_LIMITS.pingMs,
    registered: (servers) => {
      found = servers;
      done.abort();
    },
    newIceServers() {},
  });
  await link.run(AbortSignal.any([signal, done.signal]));
  return found;
}

/** Labels of content origins matter to pages only. */
async function contentOwner(state: string): Promise<{ readonly id: Bytes }> {
  const isKnown = await stat(join(state, KEY_FILES[0]![0])).then(() => true, () => false);
  return isKnown ? await Identity.load(state) : { id: new Uint8Array(16) };
}

/* ---- words ---------------------------------------------------------------------------------------------------- */

const MARKS = { good: "good", bad: "BAD", skipped: "-" } as const;
const SUBJECT_COLUMN = 28;

function printFinding({ leg, subject, state, text, remedy }: Finding): void {
  const name = subject === undefined ? leg : `${leg} ${subject}`;
  printLine(`${MARKS[state].padEnd(5)} ${name.padEnd(SUBJECT_COLUMN)} ${text}`);
  if (remedy !== undefined) printLine(`${" ".repeat(SUBJECT_COLUMN + 7)}→ ${remedy}`);
}

/** The agent's word on itself: it runs, and the rendezvous takes it. */
export function agentVerdict(state: { readonly kind: string; readonly reason?: string }): Verdict {
  if (state.kind !== "waiting" || state.reason !== "already_registered") {
    return good("porthole runs");
  }
  return bad(
    "the rendezvous knows another device with this identity, which is there now",
    "stop the copy: no two machines may have one state folder",
  );
}
