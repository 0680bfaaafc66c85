import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
// @ts-types="npm:@types/ws@8.18.2"
import { type WebSocket, WebSocketServer } from "ws";
import { type Bytes, fromBase64Url, toBase64Url, toHex, utf8 } from "../lib/bytes.ts";
import type { Log } from "../lib/log.ts";
import { MAX_SEALED_BYTES, registrationText } from "../protocol/signal.ts";
import { RendezvousClient, type RendezvousState } from "./rendezvous_client.ts";
import type { ClientLimits } from "./rendezvous_limits.ts";

const NONCE = toBase64Url(new Uint8Array(32).fill(9));
const CHALLENGE = { type: "challenge", nonce: NONCE };
const REGISTERED = { type: "registered", iceServers: [{ urls: "stun:a:1" }], shell: "http://a:1" };
const KEY = new Uint8Array(32).fill(3);

/** A rendezvous that does what the test says, and a client that dials it. */
class Scene implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly mail: string[] = [];
  readonly states: RendezvousState[] = [];
  readonly client: RendezvousClient;
  readonly #server: WebSocketServer;
  readonly #abort = new AbortController();
  readonly #arrivals: Connection[] = [];
  readonly #wanted: ((connection: Connection) => void)[] = [];
  readonly running: Promise<void>;
  presence = "one";
  people = new Uint8Array(8);

  private constructor(server: WebSocketServer, limits: Partial<ClientLimits>) {
    this.#server = server;
    server.on("connection", (socket, request) => {
      assert.equal(request.url, "/v1/device");
      const connection = new Connection(socket);
      const wanted = this.#wanted.shift();
      if (wanted === undefined) this.#arrivals.push(connection);
      else wanted(connection);
    });
    this.client = new RendezvousClient({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      signer: { publicKey: KEY, sign: (message) => Promise.resolve(fakeSignature(message)) },
      presence: () => Promise.resolve(utf8(this.presence)),
      people: () => Promise.resolve(this.people),
      mail: {
        receive: (peer, sealed) => {
          this.mail.push(`${peer} ${toHex(sealed)}`);
          if (sealed[0] === 0xee) throw new Error("Cannot open: bad mail");
        },
        gone: (peer) => this.mail.push(`${peer} gone`),
      },
      log: recorder(this.lines),
      onState: (state) => this.states.push(state),
      limits: { retryFloorMs: 1, retryCeilingMs: 1, ...limits },
    });
    this.running = this.client.run(this.#abort.signal);
  }

  static async start(limits: Partial<ClientLimits> = {}): Promise<Scene> {
    const server = new WebSocketServer({
      port: 0,
      host: "127.0.0.1",
      autoPong: limits.pingMs === undefined,
    });
    await new Promise((resolve) => server.once("listening", resolve));
    return new Scene(server, limits);
  }

  /** The next connection that the client makes. */
  connection(): Promise<Connection> {
    const connection = this.#arrivals.shift();
    if (connection !== undefined) return Promise.resolve(connection);
    return new Promise((resolve) => this.#wanted.push(resolve));
  }

  /** The next connection, registered. */
  async registered(): Promise<Connection> {
    const connection = await this.connection();
    connection.send(CHALLENGE);
    await connection.next();
    connection.send(REGISTERED);
    await this.until(() => this.client.state.kind === "registered");
    const tags = toBase64Url(this.people);
    assert.deepEqual(await connection.next(), { type: "people", tags });
    return connection;
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise((resolve) => setImmediate(resolve));
  }

  stop(): Promise<void> {
    this.#abort.abort();
    return this.running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    for (const socket of this.#server.clients) socket.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

class Connection {
  readonly socket: WebSocket;
  readonly closed: Promise<void>;
  readonly #messages: unknown[] = [];
  #wanted: ((message: unknown) => void) | undefined;

  constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.on("close", () => resolve()));
    socket.on("message", (data) => {
      const message: unknown = JSON.parse(String(data));
      if (this.#wanted === undefined) this.#messages.push(message);
      else this.#wanted(message);
      this.#wanted = undefined;
    });
  }

  send(message: object): void {
    this.socket.send(JSON.stringify(message));
  }

  next(): Promise<unknown> {
    if (this.#messages.length > 0) return Promise.resolve(this.#messages.shift());
    return new Promise((resolve) => this.#wanted = resolve);
  }
}

function recorder(lines: string[]): Log {
  const write = (event: string, fields = {}) => lines.push(`${event} ${JSON.stringify(fields)}`);
  return { debug: write, info: write, warn: write, error: write };
}

/** Says what was signed. */
function fakeSignature(message: Bytes): Bytes {
  return new Uint8Array(64).fill(message[message.length - 1]!);
}

const UNUSED = {
  signer: { publicKey: KEY, sign: () => Promise.reject(new Error("unused")) },
  presence: () => Promise.reject(new Error("unused")),
  people: () => Promise.reject(new Error("unused")),
  mail: { receive() {}, gone() {} },
  log: recorder([]),
};

const lossOf = (scene: Scene) => {
  const line = scene.lines.find((text) => text.startsWith("rendezvous.lost "));
  return line === undefined ? undefined : JSON.parse(line.slice("rendezvous.lost ".length)).reason;
};

Deno.test("rendezvous client registers by its challenge and learns the ICE servers", async () => {
  await using scene = await Scene.start();
  const connection = await scene.connection();
  connection.send(CHALLENGE);
  assert.deepEqual(await connection.next(), {
    type: "register",
    key: toBase64Url(KEY),
    signature: toBase64Url(fakeSignature(registrationText(fromBase64Url(NONCE), KEY))),
    presence: toBase64Url(utf8("one")),
  });
  assert.equal(scene.client.send(1, new Uint8Array(1)), false);
  connection.send(REGISTERED);
  await scene.until(() => scene.client.state.kind === "registered");
  assert.deepEqual(scene.client.iceServers, [{ urls: "stun:a:1" }]);
  assert.equal(scene.client.shell, "http://a:1");
  connection.send({ type: "ice-servers", iceServers: [] });
  await scene.until(() => scene.client.iceServers.length === 0);
  await scene.stop();
  assert.deepEqual(scene.states.map(({ kind }) => kind), ["connecting", "registered", "stopped"]);
  assert.match(
    scene.lines.join("\n"),
    /^rendezvous\.connected {"url":"ws:\/\/127\.0\.0\.1:\d+\/v1\/device","pingSeconds":750}$/,
  );
});

Deno.test("rendezvous client brings mail both ways and tells who is gone", async () => {
  await using scene = await Scene.start();
  const connection = await scene.registered();
  connection.send({ type: "deliver", peer: 1, sealed: "AQI" });
  connection.send({ type: "deliver", peer: 2, sealed: "Aw" });
  connection.send({ type: "gone", peer: 1 });
  connection.send({ type: "gone", peer: 7 }); // never heard of
  await scene.until(() => scene.mail.length === 3);
  assert.deepEqual(scene.mail, ["1 0102", "2 03", "1 gone"]);
  assert.equal(scene.client.send(2, new Uint8Array([4])), true);
  assert.deepEqual(await connection.next(), { type: "send", peer: 2, sealed: "BA" });
  connection.send({ type: "refused", code: "unknown_peer" }); // nobody's fault
  scene.presence = "two";
  scene.client.updatePresence();
  const presence = toBase64Url(utf8("two"));
  assert.deepEqual(await connection.next(), { type: "presence", presence });
});

Deno.test("rendezvous client tells who its people are when it comes and when they change, not more often than it may", async () => {
  await using scene = await Scene.start({ peopleMs: 50 });
  scene.people = new Uint8Array(8).fill(1);
  const connection = await scene.registered();
  const begin = performance.now();
  for (let change = 2; change <= 9; change++) {
    scene.people = new Uint8Array(8).fill(change);
    scene.client.updatePeople();
  }
  const tags = toBase64Url(new Uint8Array(8).fill(9));
  assert.deepEqual(await connection.next(), { type: "people", tags }, "the last one, and no other");
  assert.ok(performance.now() - begin > 40, "without a pause");
  connection.socket.terminate();
  await scene.registered(); // looks itself
});

Deno.test("rendezvous client comes back after a loss, and its peers are gone", async () => {
  await using scene = await Scene.start();
  const first = await scene.registered();
  first.send({ type: "deliver", peer: 1, sealed: "AQ" });
  await scene.until(() => scene.mail.length === 1);
  first.socket.terminate();
  await scene.registered();
  assert.deepEqual(scene.mail, ["1 01", "1 gone"]);
  assert.equal(lossOf(scene), "closed");
});

Deno.test("rendezvous client survives mail that its handler cannot take", async () => {
  await using scene = await Scene.start();
  const connection = await scene.registered();
  connection.send({ type: "deliver", peer: 1, sealed: "7g" });
  connection.send({ type: "deliver", peer: 1, sealed: "AQ" });
  await scene.until(() => scene.mail.length === 2);
  assert.match(scene.lines.join("\n"), /rendezvous\.mail_failed/);
  assert.equal(scene.client.state.kind, "registered");
});

const HOSTILE: readonly [string, object | string, string][] = [
  ["text that is no message", "hello", "malformed"],
  ["a message that is too large", "x".repeat(16_385), "closed"],
  ["mail before the registration", { type: "deliver", peer: 1, sealed: "AQ" }, "malformed"],
  ["a registration that was not asked for", REGISTERED, "malformed"],
  ["a refusal", { type: "refused", code: "already_registered" }, "already_registered"],
];

for (const [name, message, reason] of HOSTILE) {
  Deno.test(`rendezvous client leaves and tries again after ${name}`, async () => {
    await using scene = await Scene.start();
    const connection = await scene.connection();
    connection.socket.send(typeof message === "string" ? message : JSON.stringify(message));
    await connection.closed;
    await scene.registered();
    assert.equal(lossOf(scene), reason);
    assert.deepEqual(scene.mail, []);
  });
}

Deno.test("rendezvous client leaves after a second challenge and after binary", async () => {
  await using scene = await Scene.start();
  const first = await scene.registered();
  first.send(CHALLENGE);
  await first.closed;
  const second = await scene.registered();
  second.socket.send(new Uint8Array(3));
  await second.closed;
  assert.equal(lossOf(scene), "malformed");
});

Deno.test("rendezvous client bounds the peers that a hostile rendezvous makes up", async () => {
  await using scene = await Scene.start({ peers: 2 });
  const connection = await scene.registered();
  for (const peer of [1, 2, 3]) connection.send({ type: "deliver", peer, sealed: "AQ" });
  await connection.closed;
  assert.equal(lossOf(scene), "malformed");
  assert.deepEqual(scene.mail, ["1 01", "2 01", "1 gone", "2 gone"]);
});

Deno.test("rendezvous client notices a connection that is half open and asks more often then", async () => {
  await using scene = await Scene.start({ pingMs: 8, minPingMs: 2, pongMs: 1 });
  const connection = await scene.registered();
  await connection.closed;
  assert.equal(lossOf(scene), "silent");
  await (await scene.registered()).closed;
  await (await scene.registered()).closed;
  await scene.registered();
  const paces = scene.lines.join("\n").match(/(?<="pingSeconds":)[\d.]+/g);
  assert.deepEqual(paces, ["0.008", "0.004", "0.002", "0.002"]);
});

Deno.test("rendezvous client stays while its pings are answered", async () => {
  await using scene = await Scene.start({ pingMs: 1, pongMs: 60_000 });
  const connection = await scene.registered();
  const pinged = () =>
    new Promise<void>((resolve) =>
      connection.socket.once("ping", (data) => {
        connection.socket.pong(data);
        resolve();
      })
    );
  await pinged();
  assert.equal(scene.client.state.kind, "registered");
});

Deno.test("rendezvous client in doubt finds a dead connection soon, and dials again at once", async () => {
  await using scene = await Scene.start({
    ...{ pingMs: 3_600_000, doubtMs: 5, pongMs: 3_600_000 },
    ...{ retryFloorMs: 3_600_000, retryCeilingMs: 3_600_000, eagerMs: 0, hurryCeilingMs: 1 },
  });
  const dead = await scene.registered(); // it answers no ping
  scene.client.doubt();
  await dead.closed;
  assert.equal(lossOf(scene), "moved");
  await scene.registered();
});

Deno.test("rendezvous client in doubt keeps a connection that answers", async () => {
  await using scene = await Scene.start({ doubtMs: 60_000, pongMs: 60_000 });
  const connection = await scene.registered();
  const pinged = new Promise((resolve) => connection.socket.once("ping", resolve));
  scene.client.doubt(new Set(["127.0.0.1", "192.0.2.1"]));
  await pinged;
  assert.equal(scene.client.state.kind, "registered");
  assert.equal(lossOf(scene), undefined);
});

Deno.test("rendezvous client that waits dials at once when the network changes", async () => {
  await using scene = await Scene.start({
    ...{ retryFloorMs: 3_600_000, retryCeilingMs: 3_600_000, eagerMs: 0, hurryMs: 0 },
  });
  const connection = await scene.registered();
  connection.socket.close();
  await scene.until(() => scene.client.state.kind === "waiting");
  scene.client.doubt();
  await scene.registered();
});

Deno.test("rendezvous client waits longer and longer for one that takes it and hangs up", async () => {
  await using scene = await Scene.start({ retryCeilingMs: 64, eagerCeilingMs: 2, eagerMs: 1 });
  for (let visit = 0; visit < 8; visit++) (await scene.registered()).socket.terminate();
  await scene.until(() => scene.states.filter(({ kind }) => kind === "waiting").length >= 8);
  const waits = scene.states.flatMap((state) => state.kind === "waiting" ? [state.retryMs] : []);
  assert.ok(Math.max(...waits) > 16, waits.join());
});

Deno.test("rendezvous client does not wait for a challenge for ever", async () => {
  await using scene = await Scene.start({ registerMs: 30 });
  await (await scene.connection()).closed;
  await scene.until(() => lossOf(scene) !== undefined);
  assert.equal(lossOf(scene), "timeout");
});

Deno.test("rendezvous client stops while it waits, and where nobody listens", async () => {
  const lines: string[] = [];
  const abort = new AbortController();
  const client = new RendezvousClient({
    url: "ws://127.0.0.1:1",
    ...UNUSED,
    log: recorder(lines),
    onState: ({ kind }) => kind === "waiting" && abort.abort(),
  });
  await client.run(abort.signal);
  assert.equal(client.state.kind, "stopped");
  assert.match(lines[0]!, /^rendezvous\.lost .*"reason":"unreachable"/);
});

Deno.test("rendezvous client tries again when its own key or presence fails", async () => {
  await using scene = await Scene.start();
  Object.defineProperty(scene, "presence", {
    get: () => {
      throw new Error("Cannot sign");
    },
  });
  const connection = await scene.connection();
  connection.send(CHALLENGE);
  await connection.closed;
  await scene.connection();
  assert.equal(lossOf(scene), "failed");
});

Deno.test("rendezvous client refuses what no browser could take and addresses it cannot dial", async () => {
  await using scene = await Scene.start();
  assert.throws(() => scene.client.send(1, new Uint8Array(MAX_SEALED_BYTES + 1)), RangeError);
  for (const url of ["", "meet.example", "ftp://a", "ws://a?b", "ws://a#b", "wss://u:p@a"]) {
    assert.throws(
      () => new RendezvousClient({ ...UNUSED, url }),
      /Cannot use rendezvous '.*': it is not an address like wss:/,
    );
  }
});
