// The way back to the rendezvous: after restarts, through changed networks, past captive portals; and what idling costs.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createConnection, createServer, type Socket } from "node:net";
import { SILENT } from "../../src/lib/log.ts";
import { toBase64Url, utf8 } from "../../src/lib/bytes.ts";
import { Fixture, newIdentity } from "../../src/rendezvous/fixture.ts";
import { RendezvousClient, type RendezvousState } from "../../src/control/rendezvous_client.ts";
import { CLIENT_LIMITS, type ClientLimits } from "../../src/control/rendezvous_limits.ts";
import { probeRendezvous } from "../../src/control/rendezvous_probe.ts";

const LIMIT_MS = 30_000;

/** A device's client that is told what to dial. */
async function startClient(port: number, limits: Partial<ClientLimits> = {}) {
  const { publicKey, keys } = await newIdentity();
  const states: RendezvousState[] = [];
  const abort = new AbortController();
  const client = new RendezvousClient({
    url: `ws://127.0.0.1:${port}`,
    signer: {
      publicKey,
      sign: async (message) =>
        new Uint8Array(await crypto.subtle.sign("Ed25519", keys.privateKey, message)),
    },
    presence: () => Promise.resolve(utf8("m0")),
    people: () => Promise.resolve(new Uint8Array(8)),
    mail: { receive() {}, gone() {} },
    log: SILENT,
    onState: (state) => states.push(state),
    limits,
  });
  const running = client.run(abort.signal);
  const stop = async () => {
    abort.abort();
    await running;
  };
  const until = async (holds: () => boolean) => {
    for (const end = performance.now() + LIMIT_MS; !holds();) {
      if (performance.now() > end) throw new Error(`it stays so: ${JSON.stringify(states)}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  const waits = () => states.flatMap((state) => state.kind === "waiting" ? [state] : []);
  return { client, states, stop, until, waits };
}

Deno.test("in the first minute of an outage no wait is longer than two seconds, and later ones grow", async () => {
  assert.ok(CLIENT_LIMITS.eagerMs >= 60_000 && CLIENT_LIMITS.eagerCeilingMs <= 2_000);
  const scaled = { retryFloorMs: 1, eagerCeilingMs: 2, retryCeilingMs: 64 };
  const eager = await startClient(1, { ...scaled, eagerMs: 60_000 });
  await eager.until(() => eager.waits().length > 12);
  await eager.stop();
  assert.ok(eager.waits().every(({ retryMs }) => retryMs <= 2));
  const patient = await startClient(1, { ...scaled, eagerMs: 0 });
  await patient.until(() => patient.waits().length > 8);
  await patient.stop();
  assert.ok(patient.waits().some(({ retryMs }) => retryMs > 20));
});

Deno.test("a changed network ends a wait", async () => {
  const long = { retryFloorMs: 600_000, retryCeilingMs: 600_000, eagerMs: 0, hurryMs: 0 };
  const { client, stop, until, waits } = await startClient(1, long);
  for (let count = 1; count < 4; count++) {
    await until(() => waits().length === count && client.state.kind === "waiting");
    client.doubt(new Set());
  }
  await stop();
});

Deno.test("a connection whose address is gone is over at once; another is asked for a sign of life", async () => {
  await using fixture = await new Fixture().start();
  const { client, stop, until, waits } = await startClient(fixture.port, {
    retryFloorMs: 1,
    doubtMs: LIMIT_MS,
  });
  await until(() => client.state.kind === "registered");
  client.doubt(new Set(["127.0.0.1", "192.0.2.7"]));
  assert.equal(client.state.kind, "registered");
  client.doubt(new Set(["192.0.2.7"]));
  await until(() => waits().length === 1);
  assert.equal(waits()[0]!.reason, "moved");
  await stop();
});

for (const status of [200, 302, 511]) {
  Deno.test(`a captive portal that answers ${status} is named`, async () => {
    const portal = createHttpServer((_, response) =>
      response.writeHead(status, { location: "/login", connection: "close" }).end("Log in")
    );
    // Node hands upgrades to this event, or to the handler above where there is none for it.
    portal.on(
      "upgrade",
      (_, socket) =>
        socket.end(`HTTP/1.1 ${status} Portal\r\nlocation: /login\r\ncontent-length: 0\r\n\r\n`),
    );
    portal.listen(0, "127.0.0.1");
    await once(portal, "listening");
    const { port } = portal.address() as AddressInfo;
    const { stop, until, waits } = await startClient(port, { retryFloorMs: 1 });
    await until(() => waits().length > 0);
    await stop();
    assert.equal(waits()[0]!.reason, "portal");
    const probe = await probeRendezvous(`ws://127.0.0.1:${port}`, AbortSignal.timeout(LIMIT_MS));
    assert.ok(probe.kind === "bad" && /captive portal/.test(probe.reason), JSON.stringify(probe));
    portal.closeAllConnections();
    await new Promise((resolve) => portal.close(resolve));
  });
}

/* ---- what idling costs -------------------------------------------------------------------------------------- */

/** Of a packet around the bytes of a WebSocket: IPv6 and TCP with timestamps, a record of TLS 1.3. */
const PACKET_BYTES = 40 + 32;
const RECORD_BYTES = 5 + 1 + 16;
const MONTH_MS = 30 * 24 * 60 * 60_000;
const BUDGET_BYTES = 1_000_000; // DESIGN 10

/** Passes bytes on, and counts them and the pieces that they come in. */
async function counter(port: number) {
  const counted = { bytes: 0, pieces: 0 };
  const sockets: Socket[] = [];
  const server = createServer((near) => {
    const far = createConnection({ port, host: "127.0.0.1" });
    for (const [from, to] of [[near, far], [far, near]] as const) {
      sockets.push(from);
      from.on("error", () => {});
      from.on("data", (bytes) => {
        counted.bytes += bytes.length;
        counted.pieces++;
        to.write(bytes);
      });
      from.on("close", () => to.destroy());
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { counted, port: (server.address() as AddressInfo).port, close };
}

Deno.test("a device that idles for a month costs a megabyte at most, also over IPv6", async () => {
  const ice = {
    stunUrls: ["stun:stun.example.org", "stun:stun2.example.org"],
    turn: { urls: ["turn:turn.example.org", "turns:turn.example.org:443"], secret: "north" },
  };
  await using fixture = await new Fixture({
    ice,
    limits: { pings: { burst: 100, perSecond: 100 } },
  }).start();
  const proxy = await counter(fixture.port);
  const beats = 6;
  const { client, stop, until } = await startClient(proxy.port, { pingMs: 5, pongMs: 500 });
  await until(() => client.state.kind === "registered");
  const start = { ...proxy.counted };
  await until(() => proxy.counted.pieces - start.pieces >= 2 * beats);
  const bytes = proxy.counted.bytes - start.bytes;
  const pieces = proxy.counted.pieces - start.pieces;
  await stop();
  await proxy.close();
  // Each piece is a packet; each second one, the pong, is acknowledged by a packet of its own.
  const wire = bytes + pieces * (PACKET_BYTES + RECORD_BYTES) + pieces / 2 * PACKET_BYTES;
  const perBeat = wire / (pieces / 2);
  const idle = MONTH_MS / CLIENT_LIMITS.pingMs * perBeat;
  // Twice a day a list of servers comes, with fresh credentials.
  const list = toBase64Url(utf8(JSON.stringify(client.iceServers))).length + 3 * PACKET_BYTES;
  const month = idle + 60 * list;
  assert.ok(month <= BUDGET_BYTES, `${Math.round(month)} bytes a month, ${perBeat} for each ping`);
  assert.ok(month > BUDGET_BYTES / 4, "nothing was measured");
  await fixture.until(({ devices }) => devices === 0);
});
