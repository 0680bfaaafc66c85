// The checks are made with sockets of Deno: the platform's are out of reach for this folder.
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { createPeerFactory } from "./peer.ts";
import { SctpDriver } from "./sctp_driver.ts";
import { selfCheck, type SelfCheckParts } from "./self_check.ts";
import type { OpenSocket } from "./udp_ports.ts";
import { Gate } from "./udp_gate.ts";
import { HandshakeReader } from "./dtls_handshake.ts";

const openSocket: OpenSocket = async ({ port, receive }) => {
  const socket = createSocket("udp4");
  socket.on("error", () => {});
  socket.on("message", (bytes, from) => receive(bytes, from.address, from.port));
  await new Promise<void>((resolve) => socket.bind(port, "127.0.0.1", resolve));
  return {
    port: socket.address().port,
    errors: 0,
    send: (bytes, address, port) => socket.send(bytes, port, address),
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
};

const { createPeer } = createPeerFactory({ openSocket });

/** Enough for an x86 under load; what fails by silence takes as long. */
const LIMIT_MS = 1500;

/** werift's own remains: timers of half a second and more (werift-audit.md 6). */
function quiet(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2000));
}

/** What the self check says; nothing when it is content. */
async function verdict(parts: SelfCheckParts, limitMs = LIMIT_MS): Promise<string> {
  try {
    await (await selfCheck(parts, limitMs)).settled;
    return "";
  } catch (error) {
    return (error as Error).message;
  } finally {
    await quiet();
  }
}

/** Runs the self check while a method does something else. */
async function verdictWith(owner: object, name: string, method: unknown): Promise<string> {
  const original = Reflect.get(owner, name);
  Reflect.set(owner, name, method);
  try {
    return await verdict({ createPeer, openSocket });
  } finally {
    Reflect.set(owner, name, original);
  }
}

Deno.test("the werift that is here passes", async () => {
  assert.equal(await verdict({ createPeer, openSocket }, 15_000), "");
});

Deno.test("connections that come about whoever is there are refused", async () => {
  const found = await verdict({
    openSocket,
    createPeer: (options) =>
      createPeer({
        ...options,
        handlers: {
          ...options.handlers,
          state: (state) => options.handlers.state(state === "failed" ? "connected" : state),
        },
      }),
  });
  assert.equal(
    found,
    "Cannot serve: werift does not behave as expected (a forged handshake was accepted)",
  );
});

Deno.test("a gate that lets strangers in is refused", async () => {
  const { admit } = Gate.prototype;
  const found = await verdictWith(Gate.prototype, "admit", function (this: Gate, ...values: never) {
    const datagram = values[0] as Uint8Array;
    const kind = Reflect.apply(admit, this, values) as string | undefined;
    return kind ?? (datagram[0] === 0 ? "request" : undefined);
  });
  assert.match(found, /^Cannot serve: .*\(a stranger's binding request was answered\)$/);
});

Deno.test("a handshake that does not come about is refused", async () => {
  const found = await verdictWith(HandshakeReader.prototype, "take", () => []);
  assert.match(found, /^Cannot serve: .*\(a check did not come to an end\)$/);
});

Deno.test("a message that does not pass is refused", async () => {
  const { receive } = SctpDriver.prototype;
  const found = await verdictWith(
    SctpDriver.prototype,
    "receive",
    function (this: SctpDriver, packet: Uint8Array) {
      if (packet[12] === 0 && packet.length > 100) packet = packet.subarray(0, 100); // no such chunk
      receive.call(this, packet);
    },
  );
  assert.match(found, /^Cannot serve: /);
});
