// The doctor inside a real device, with real rendezvous, coturn, service and camera program: each leg is broken in turn,
// and the doctor names that leg and no other.
import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { createServer, type Server } from "node:http";
import { Buffer } from "node:buffer";
import type { AddressInfo } from "node:net";
import { loadConfig } from "../../src/config.ts";
import { adminRequest } from "../../src/control/admin_client.ts";
import { badLegs, type Finding } from "../../src/doctor/finding.ts";
import type { Assets } from "../../src/platform/assets.ts";
import { Fixture } from "../../src/rendezvous/fixture.ts";
import { PARSERS, type RunningDevice, startDevice } from "../../src/run_device.ts";
import { Coturn, coturnMissing, SECRET } from "./coturn.ts";

const CLIP = new URL("../../src/camera/test_clip.h264", import.meta.url);
const lack = await coturnMissing();
const ignore = lack !== undefined;
if (ignore) Deno.stderr.writeSync(new TextEncoder().encode(`doctor is skipped: ${lack}\n`));

/** A device at its best, and what of it can be broken. */
class Clinic implements AsyncDisposable {
  readonly folder: string;
  readonly state: string;
  /** What the camera program writes. Below /dev, so that it stands for a device file too. */
  readonly clip: string;
  coturn!: Coturn;
  fixture!: Fixture;
  device!: RunningDevice;
  service!: Server;
  stun!: Socket;
  #assets: Assets = new Map();

  constructor(folder: string) {
    this.folder = folder;
    this.state = `${folder}/state`;
    this.clip = `/dev/shm/porthole-${crypto.randomUUID()}`;
  }

  static async open(): Promise<Clinic> {
    const clinic = new Clinic(await Deno.makeTempDir());
    const bytes = await Deno.readFile(CLIP);
    clinic.#assets = new Map([["camera/test_clip.h264", { bytes, type: "video/h264" }]]);
    await Deno.writeFile(clinic.clip, bytes);
    const program = '[ -s "$1" ] || exit 1; exec tail -c +1 -f "$1"';
    await Deno.writeTextFile(`${clinic.folder}/camera`, program);
    clinic.coturn = await Coturn.start();
    clinic.stun = await stunServer();
    await clinic.startService();
    await clinic.startRendezvous();
    await Deno.writeTextFile(`${clinic.folder}/porthole.toml`, clinic.#configuration());
    await clinic.startDevice();
    return clinic;
  }

  async startRendezvous(port = 0): Promise<void> {
    const stunUrls = [this.coturn.stunUrl, `stun:127.0.0.1:${this.stun.address().port}`];
    const turn = { urls: [this.coturn.url()], secret: SECRET };
    this.fixture = await new Fixture({ port, ice: { stunUrls, turn } }).start();
  }

  async startDevice(): Promise<void> {
    const flags = { config: `${this.folder}/porthole.toml` };
    const config = await loadConfig({ flags, defaults: { name: "Clinic" }, parsers: PARSERS });
    this.device = await startDevice(config, { assets: this.#assets, builtAt: undefined });
    await this.device.registered;
  }

  async startService(port = 0): Promise<void> {
    this.service = createServer((_, response) => response.writeHead(404).end());
    await new Promise<void>((resolve) => this.service.listen(port, "127.0.0.1", resolve));
  }

  async stopService(): Promise<void> {
    this.service.closeAllConnections();
    await new Promise((resolve) => this.service.close(resolve));
  }

  async findings(): Promise<Finding[]> {
    const answer = await adminRequest(this.state, {
      method: "GET",
      path: "/doctor",
      limitMs: 60_000,
    });
    return answer.findings as Finding[];
  }

  /** The legs that the doctor names bad. */
  async bad(): Promise<string[]> {
    return [...badLegs(await this.findings())];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.device.close();
    await this.fixture[Symbol.asyncDispose]();
    await this.coturn.stop();
    await this.stopService();
    await new Promise<void>((resolve) => this.stun.close(() => resolve()));
    await Deno.remove(this.folder, { recursive: true });
    await Deno.remove(this.clip).catch(() => {});
  }

  #configuration(): string {
    return `
rendezvous = "ws://127.0.0.1:${this.fixture.port}"
state = "${this.state}"
clock = "system"
[[service]]
id = "ui"
target = "http://127.0.0.1:${(this.service.address() as AddressInfo).port}"
[[camera]]
id = "front"
source = "exec:/bin/sh ${this.folder}/camera ${this.clip}"
`;
  }
}

/** Answers binding requests with the address that it sees (RFC 8489). */
async function stunServer(port = 0): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.on("message", (request, from) => {
    const answer = Buffer.concat([
      Buffer.from("0101000c2112a442", "hex"),
      request.subarray(8, 20),
      Buffer.from([0, 1, 0, 8, 0, 1, from.port >> 8, from.port & 255]),
      Buffer.from(from.address.split(".").map(Number)),
    ]);
    socket.send(answer, from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(port, "127.0.0.1", resolve));
  return socket;
}

/** What is done to a leg, and undone. */
interface Damage {
  readonly leg: string;
  break(clinic: Clinic): Promise<unknown>;
  mend(clinic: Clinic): Promise<unknown>;
}

/** What files held before they were spoiled. */
const kept = new Map<string, Uint8Array>();

async function spoil(path: string, change: (bytes: Uint8Array) => void): Promise<void> {
  const bytes = await Deno.readFile(path);
  kept.set(path, bytes.slice());
  change(bytes);
  await Deno.writeFile(path, bytes);
}

async function restore(): Promise<void> {
  for (const [path, bytes] of kept) await Deno.writeFile(path, bytes);
  kept.clear();
}

const DAMAGES: readonly Damage[] = [
  {
    leg: "files",
    break: ({ state }) => Deno.chmod(state, 0o755),
    mend: ({ state }) => Deno.chmod(state, 0o700),
  },
  {
    leg: "identity",
    break: ({ state }) =>
      spoil(`${state}/device_key.json`, (bytes) => bytes[bytes.length - 20]! ^= 1),
    mend: restore,
  },
  {
    leg: "store",
    // Pages that are in the log count from there.
    break: async ({ state }) => {
      for (const name of ["porthole.db", "porthole.db-wal"]) {
        await spoil(`${state}/${name}`, (bytes) => bytes.fill(0x55, 0, 64));
      }
    },
    mend: restore,
  },
  {
    leg: "rendezvous",
    break: ({ fixture }) => fixture[Symbol.asyncDispose](),
    mend: (clinic) => clinic.startRendezvous(clinic.fixture.port),
  },
  {
    leg: "clock",
    break: () => Promise.resolve(Date.now = () => performance.timeOrigin - 3 * 86_400_000),
    mend: () => Promise.resolve(Date.now = NOW),
  },
  {
    leg: "stun",
    break: ({ stun }) => new Promise<void>((resolve) => stun.close(() => resolve())),
    mend: async (clinic) => clinic.stun = await stunServer(STUN_PORT.value),
  },
  {
    leg: "turn",
    break: async (clinic) => {
      await clinic.coturn.stop();
      clinic.coturn = await Coturn.start({ secret: "another", like: clinic.coturn });
    },
    mend: async (clinic) => {
      await clinic.coturn.stop();
      clinic.coturn = await Coturn.start({ like: clinic.coturn });
    },
  },
  {
    leg: "udp",
    break: (clinic) =>
      Promise.all([
        clinic.coturn.stop(),
        new Promise<void>((resolve) => clinic.stun.close(() => resolve())),
      ]),
    mend: async (clinic) => {
      clinic.coturn = await Coturn.start({ like: clinic.coturn });
      clinic.stun = await stunServer(STUN_PORT.value);
    },
  },
  {
    leg: "service",
    break: (clinic) => clinic.stopService(),
    mend: (clinic) => clinic.startService(SERVICE_PORT.value),
  },
  {
    leg: "camera",
    break: ({ clip }) => Deno.truncate(clip),
    mend: ({ clip }) => Deno.copyFile(CLIP, clip),
  },
  {
    leg: "device-file",
    break: ({ clip }) => Deno.rename(clip, `${clip}.away`),
    mend: ({ clip }) => Deno.rename(`${clip}.away`, clip),
  },
];

/** Looks until the leg is named: a camera goes on for a moment after its last viewer. */
async function namedAlone(clinic: Clinic, leg: string): Promise<void> {
  for (const end = performance.now() + NAMED_LIMIT_MS; performance.now() < end;) {
    const findings = await clinic.findings();
    const named = [...badLegs(findings)];
    assert.deepEqual(named.filter((one) => one !== leg), [], JSON.stringify(findings));
    if (named.length === 0) continue;
    const { remedy, text } = findings.find(({ state }) => state === "bad")!;
    assert.ok((remedy ?? "").length > 10 && !/\n/.test(text + remedy), `${text} ${remedy}`);
    return;
  }
  assert.fail(`${leg} is broken, and all is said to be well`);
}

const NAMED_LIMIT_MS = 30_000;
const NOW = Date.now;
const STUN_PORT = { value: 0 };
const SERVICE_PORT = { value: 0 };

Deno.test({
  name: "the doctor names each leg that is broken, and no other",
  ignore,
  fn: async (t) => {
    await using clinic = await Clinic.open();
    STUN_PORT.value = clinic.stun.address().port;
    SERVICE_PORT.value = (clinic.service.address() as AddressInfo).port;
    await t.step("a device at its best has none", async () => {
      const findings = await clinic.findings();
      assert.deepEqual([...badLegs(findings)], [], JSON.stringify(findings, undefined, 1));
      for (const leg of ["nat", "turn", "stun", "udp", "camera", "device-file", "store"]) {
        assert.ok(findings.some((one) => one.leg === leg && one.state === "good"), leg);
      }
    });
    for (const damage of DAMAGES) {
      await t.step(damage.leg, async () => {
        await damage.break(clinic);
        try {
          await namedAlone(clinic, damage.leg);
        } finally {
          await damage.mend(clinic);
        }
      });
    }
    await t.step("and all is well again", async () => {
      assert.deepEqual(await clinic.bad(), []);
    });
  },
});
