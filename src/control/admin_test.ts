import assert from "node:assert/strict";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SILENT } from "../lib/log.ts";
import { type Admin, type AdminOptions, type AdminStatus, startAdmin } from "./admin.ts";
import { adminRequest } from "./admin_client.ts";
import { adminSocketPath } from "./admin_socket.ts";
import type { Audit } from "./audit.ts";
import type { Household } from "./household.ts";
import type { LendTerms } from "./lending.ts";
import { HOUR, Scene as Device, START } from "./testing/scene.ts";

const STATUS: AdminStatus = {
  device: "abc",
  fingerprint: "0123 4567",
  name: "Gate",
  rendezvous: { url: "wss://a", state: "registered" },
  sessions: 1,
  owners: 2,
  clock: "synchronised",
  services: ["ui"],
  cameras: ["front"],
};
const LINK = { url: "https://a/#pair=x", id: "1", expires: "2026-01-01T00:00:00.000Z" };
const JSON_TYPE = { "content-type": "application/json" };

interface Question {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** A state folder, with an admin server when started. */
class Scene implements AsyncDisposable {
  readonly state: string;
  readonly asked: (number | LendTerms)[] = [];
  readonly #admins: Admin[] = [];

  private constructor(state: string) {
    this.state = state;
  }

  static async create(): Promise<Scene> {
    return new Scene(await mkdtemp(join(tmpdir(), "porthole-admin-")));
  }

  async start(options: Partial<AdminOptions> = {}): Promise<this> {
    const ask = (asked: number | LendTerms) => {
      this.asked.push(asked);
      return Promise.resolve(LINK);
    };
    this.#admins.push(
      await startAdmin({
        state: this.state,
        pair: ask,
        lend: ask,
        status: () => STATUS,
        ...UNREACHED,
        log: SILENT,
        ...options,
      }),
    );
    return this;
  }

  get path(): string {
    return adminSocketPath(this.state);
  }

  /** Status of a request that is not one of ours. */
  ask(options: Question): Promise<number> {
    const { method = "GET", path = "/status", headers = {}, body } = options;
    const all = { host: "localhost", ...headers };
    return new Promise<number>((resolve, reject) => {
      request({ socketPath: this.path, method, path, headers: all, agent: false }, (answer) => {
        answer.resume().on("end", () => resolve(answer.statusCode!));
      }).on("error", reject).end(body);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const admin of this.#admins) await admin.close();
    await rm(this.state, { recursive: true });
  }
}

/** What no refused request may come to: it would fail there, and not with 403. */
const UNREACHED = {
  household: {} as Household,
  audit: {} as Audit,
  snapshot: () => Promise.reject(new RangeError("Cannot take a picture: the camera gives none")),
};

Deno.test("admin hands out a picture, or says what the camera lacks", async () => {
  const jpeg = Uint8Array.of(0xff, 0xd8, 0xff);
  const asked: string[] = [];
  const snapshot = (camera: string) => {
    asked.push(camera);
    return Promise.resolve(jpeg);
  };
  const command = { method: "POST", path: "/snapshot", body: { camera: "front" } } as const;
  {
    await using scene = await (await Scene.create()).start({ snapshot });
    assert.deepEqual(await adminRequest(scene.state, command), { jpeg: "_9j_" });
    assert.deepEqual(asked, ["front"]);
    const bad = { ...command, body: { camera: "../x" } };
    await assert.rejects(adminRequest(scene.state, bad), /expected \{"camera": id\}/);
  }
  await using lacking = await (await Scene.create()).start();
  await assert.rejects(adminRequest(lacking.state, command), /the camera gives none/);
});

Deno.test("admin answers status and pair over its socket", async () => {
  await using scene = await (await Scene.create()).start();
  assert.deepEqual(await adminRequest(scene.state, { method: "GET", path: "/status" }), STATUS);
  const command = { method: "POST", path: "/pair", body: { for: 600 } } as const;
  assert.deepEqual(await adminRequest(scene.state, command), LINK);
  assert.deepEqual(scene.asked, [600_000]);
});

Deno.test("admin socket is open to its owner only and is removed at the end", async () => {
  const before = (await stat("/proc/self")).uid;
  const scene = await (await Scene.create()).start();
  const { mode, uid } = await stat(scene.path);
  assert.deepEqual([mode & 0o777, uid], [0o600, before]);
  const { state } = scene;
  await scene[Symbol.asyncDispose]();
  await assert.rejects(stat(adminSocketPath(state)), { code: "ENOENT" });
});

Deno.test("admin makes its state folder for its owner only", async () => {
  await using scene = await Scene.create();
  const state = join(scene.state, "new");
  await scene.start({ state });
  assert.equal((await stat(state)).mode & 0o777, 0o700);
});

Deno.test("admin refuses what a browser, a proxy or a confused client sends", async () => {
  await using scene = await (await Scene.create()).start();
  const lend = { services: ["ui"], cameras: [], operations: ["view"], for: 60, uses: 1 };
  const routes: readonly Question[] = [
    { method: "POST", path: "/pair", body: '{"for":600}' },
    { method: "POST", path: "/lend", body: JSON.stringify(lend) },
    { method: "POST", path: "/revoke", body: '{"id":"0123"}' },
    { method: "POST", path: "/kick", body: '{"id":"0123"}' },
    ...["/status", "/owners", "/grants", "/sessions", "/audit?before=9"].map((path) => ({ path })),
  ];
  for (const route of routes) {
    const hostile: readonly Question[] = [
      { headers: { host: "evil.example" } },
      { headers: { host: "localhost.evil.example" } },
      { headers: { origin: "http://localhost" } },
      { headers: { origin: "null" } },
      { headers: { referer: "http://localhost/" } },
      { headers: { "sec-fetch-site": "same-origin" } },
      { headers: { "x-forwarded-for": "127.0.0.1" } },
      { headers: { connection: "Upgrade", upgrade: "websocket" } },
      { path: `http://localhost${route.path}` },
    ];
    for (const one of hostile) {
      const question = { ...route, ...one, headers: { ...JSON_TYPE, ...one.headers } };
      assert.equal(await scene.ask(question), 403, JSON.stringify(question));
    }
    if (route.method !== "POST") continue;
    for (const headers of [undefined, { "content-type": "text/plain" }]) {
      assert.equal(await scene.ask({ ...route, headers }), 403, `${route.path} ${headers}`);
    }
  }
  assert.deepEqual(scene.asked, []);
  for (const route of routes.slice(0, 2)) {
    assert.equal(await scene.ask({ ...route, headers: JSON_TYPE }), 200);
  }
  assert.equal(scene.asked.length, 2);
});

Deno.test("admin lends what was asked for, and refuses what is no wish", async () => {
  await using scene = await (await Scene.create()).start();
  const wish = { services: ["ui"], cameras: ["front"], operations: ["view"], for: 60, uses: 2 };
  const lend = (body: object) => adminRequest(scene.state, { method: "POST", path: "/lend", body });
  assert.deepEqual(await lend(wish), LINK);
  assert.deepEqual(await lend({ ...wish, label: "Plumber" }), LINK);
  const { for: seconds, ...terms } = wish;
  assert.deepEqual(scene.asked, [
    { ...terms, seconds },
    { ...terms, seconds, label: "Plumber" },
  ]);
  const wrong = [
    {},
    { ...wish, services: "ui" },
    { ...wish, services: [1] },
    { ...wish, cameras: Array(100).fill("front") },
    { ...wish, operations: ["rule"] },
    { ...wish, operations: ["view", "view"] },
    { ...wish, for: 0 },
    { ...wish, for: 1.5 },
    { ...wish, uses: "1" },
    { ...wish, label: 1 },
    { ...wish, other: 1 },
  ];
  for (const body of wrong) await assert.rejects(lend(body), /Cannot lend: expected/);
  assert.equal(scene.asked.length, 2);
});

Deno.test("admin lists people, ends grants, owners and sessions, and reads the log", async () => {
  await Device.run(async (device) => {
    const { household, audit } = device;
    await using scene = await (await Scene.create()).start({ household, audit });
    const get = (path: string) => adminRequest(scene.state, { method: "GET", path });
    const post = (path: string, id: string) =>
      adminRequest(scene.state, { method: "POST", path, body: { id } });
    const [owner, other] = [await device.owner(), await device.owner({ label: "Tablet" })];
    const { id, fragment } = await device.lend();
    const guest = await device.guest(fragment);
    const start = new Date(START * 1000).toISOString();
    const end = new Date((START + HOUR) * 1000).toISOString();
    const label = "Phone";
    const seen = { createdAt: start, lastSeen: start };
    const ids = [owner, other].map((person) => person.admission.holder).sort();
    const { owners } = await get("/owners");
    assert.deepEqual((owners as { id: string }[]).toSorted((a, b) => a.id < b.id ? -1 : 1), [
      { id: ids[0], label: ids[0] === owner.admission.holder ? "Firefox" : "Tablet", ...seen },
      { id: ids[1], label: ids[1] === owner.admission.holder ? "Firefox" : "Tablet", ...seen },
    ]);
    const grant = {
      id,
      label: "Plumber",
      services: ["ui"],
      cameras: ["front"],
      operations: ["view"],
      expires: end,
      uses: 1,
      state: "used",
      guests: [{ id: guest.admission.holder, label, redeemedAt: start }],
    };
    assert.deepEqual(await get("/grants"), { grants: [grant] });
    const { sessions } = await get("/sessions") as { sessions: object[] };
    assert.deepEqual(sessions[2], {
      id: guest.admission.sessionId,
      holder: guest.admission.holder,
      label,
      role: "guest",
      grant: id,
      since: start,
    });

    await assert.rejects(post("/kick", "ffff"), /There is no session 'ffff'/);
    const session = owner.admission.sessionId;
    assert.deepEqual(await post("/kick", session.slice(0, 20)), { id: session });
    assert.equal(owner.bye, "kicked");
    assert.deepEqual(await post("/revoke", id.slice(0, 20)), { id, kind: "grant" });
    assert.equal(guest.bye, "revoked");
    const { holder } = other.admission;
    assert.deepEqual(await post("/revoke", holder), { id: holder, kind: "owner" });
    assert.equal(other.bye, "removed");
    await assert.rejects(post("/revoke", owner.admission.holder), /pair another browser first/);
    await assert.rejects(post("/revoke", "abc"), /expected/);
    await assert.rejects(post("/revoke", "g".repeat(16)), /expected/);

    const { entries } = await get("/audit") as { entries: { sequence: number; event: string }[] };
    assert.equal(entries[0]!.sequence, entries.length);
    assert.deepEqual(entries.filter(({ event }) => event === "owner.removed"), [{
      sequence: entries.find(({ event }) => event === "owner.removed")!.sequence,
      event: "owner.removed",
      detail: `${holder} Tablet`,
      at: start,
    }]);
    const older = await get(`/audit?before=${entries[2]!.sequence}`);
    assert.deepEqual(older, { entries: entries.slice(3) });
    await assert.rejects(get("/audit?before=x"), /expected \?before=NUMBER/);
  });
});

Deno.test("admin lists pairing links, and ends one", async () => {
  await Device.run(async (device) => {
    const { household, audit } = device;
    await using scene = await (await Scene.create()).start({ household, audit });
    const get = () => adminRequest(scene.state, { method: "GET", path: "/owners" });
    const owner = await device.owner({ label: "Tablet" });
    const { id } = await owner.ask({ kind: "pair", forSeconds: 600 });
    const board = await household.openPairing(60_000);
    const iso = (seconds: number) => new Date((START + seconds) * 1000).toISOString();
    assert.deepEqual((await get()).windows, [
      { id, label: "Tablet", expires: iso(600) },
      { id: board.id, expires: iso(60) },
    ]);
    const revoke = { method: "POST", path: "/revoke", body: { id: id.slice(0, 12) } } as const;
    assert.deepEqual(await adminRequest(scene.state, revoke), { id, kind: "window" });
    assert.deepEqual(device.pairing.openWindows(device.world.monotonic), [board.id]);
    await assert.rejects(adminRequest(scene.state, revoke), /no grant, owner or pairing link/);
  });
});

Deno.test("admin refuses bodies that are too long or are not what the command takes", async () => {
  await using scene = await (await Scene.create()).start();
  const headers = { "content-type": "application/json" };
  const ask = (body: string) => scene.ask({ method: "POST", path: "/pair", headers, body });
  for (
    const body of ["", "{", "null", "[]", "{}", '{"for":"600"}', '{"for":1.5}', '{"for":1,"x":1}']
  ) {
    assert.equal(await ask(body), 400, body);
  }
  assert.equal(await ask(`{"for":${" ".repeat(5000)}1}`), 413);
  assert.equal(await scene.ask({ path: "/other" }), 404);
  assert.deepEqual(scene.asked, []);
});

Deno.test("admin client gives the agent's own words when it refuses", async () => {
  await using scene = await Scene.create();
  let failure: Error = new RangeError("Cannot open pairing window: four are open");
  await scene.start({ pair: () => Promise.reject(failure) });
  const command = { method: "POST", path: "/pair", body: { for: 600 } } as const;
  await assert.rejects(adminRequest(scene.state, command), { message: failure.message });
  failure = new Error("SECRET detail");
  await assert.rejects(adminRequest(scene.state, command), {
    message: "Cannot answer: porthole failed, its log says more",
  });
});

Deno.test("admin refuses to start beside a living one and takes the place of a dead one", async () => {
  await using scene = await (await Scene.create()).start();
  await assert.rejects(scene.start(), {
    message:
      `Cannot start in '${scene.state}': porthole is already running with this state folder. ` +
      "Stop it or choose another --state",
  });
  assert.deepEqual(await adminRequest(scene.state, { method: "GET", path: "/status" }), STATUS);
  await using other = await Scene.create();
  await abandonSocket(other.path);
  await other.start();
  assert.equal(await other.ask({}), 200);
  assert.equal((await stat(other.path)).mode & 0o777, 0o600);
});

/** Leaves the socket file of a process that was killed. */
async function abandonSocket(path: string): Promise<void> {
  const script = `import { createServer } from "node:net";
    createServer().listen(${JSON.stringify(path)}, () => Deno.kill(Deno.pid, "SIGKILL"));`;
  const killed = new Deno.Command(Deno.execPath(), { args: ["eval", "--no-lock", script] });
  assert.equal((await killed.output()).signal, "SIGKILL");
  assert.ok((await stat(path)).isSocket());
}

Deno.test("admin leaves a file alone that is no socket of its own", async () => {
  await using scene = await Scene.create();
  await writeFile(scene.path, "precious");
  await assert.rejects(scene.start(), /no socket is in its place/);
  assert.equal((await stat(scene.path)).size, 8);
});

Deno.test("admin says when the path of its socket is too long", async () => {
  await using scene = await Scene.create();
  await assert.rejects(
    scene.start({ state: join(scene.state, "x".repeat(110)) }),
    /Choose a shorter --state/,
  );
});

Deno.test("admin client says what to do when nobody listens", async () => {
  await using scene = await Scene.create();
  const command = { method: "GET", path: "/status" } as const;
  const file = join(scene.state, "file");
  await writeFile(file, "not a folder");
  for (const state of [scene.state, join(scene.state, "absent"), join(file, "state")]) {
    await assert.rejects(adminRequest(state, command), {
      message: `Cannot reach porthole in '${state}': it is not running there. ` +
        "Start it with `porthole run`, or name its folder with --state",
    });
  }
});

Deno.test("admin client refuses an answer that is not ours", async () => {
  await using scene = await Scene.create();
  const server = createServer((socket) => {
    socket.on("error", () => {}).resume();
    socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]");
  });
  await new Promise<void>((resolve) => server.listen(scene.path, resolve));
  const command = { method: "GET", path: "/status" } as const;
  await assert.rejects(
    adminRequest(scene.state, command),
    /Cannot understand porthole .* answered 200/,
  );
  await new Promise((resolve) => server.close(resolve));
});

Deno.test("admin does not answer what is not HTTP", async () => {
  await using scene = await (await Scene.create()).start();
  const answer = await new Promise<string>((resolve, reject) => {
    let text = "";
    const socket = connect(scene.path, () => socket.write("\x00\x01garbage\r\n\r\n"));
    socket.setEncoding("utf8").on("data", (part) => text += part).on("error", reject);
    socket.on("close", () => resolve(text));
  });
  assert.doesNotMatch(answer, /200/);
  assert.equal(await scene.ask({}), 200);
});
