// Strangers at the door of a session, over real sockets, and sessions that share a port.
import assert from "node:assert/strict";
import { isIPv4 } from "node:net";
import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import { openDatagramSocket } from "../../src/platform/datagram.ts";
import { createPeerFactory } from "../../src/webrtc/peer.ts";
import { limited } from "./limited.ts";
import { exchange, makePair, type Pair } from "./werift_offerer.ts";

/** Sends to a port of this machine from a socket that has no part in any session. */
class Stranger {
  readonly answers: Buffer[] = [];
  readonly #socket = createSocket("udp4");

  constructor() {
    this.#socket.on("message", (datagram) => this.answers.push(datagram));
  }

  send(datagram: Uint8Array, port: number): Promise<void> {
    return new Promise((resolve, reject) =>
      this.#socket.send(datagram, port, "127.0.0.1", (error) => error ? reject(error) : resolve())
    );
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }
}

/** What each of the probes of werift sends (shared/probes/werift), without any secret of a session. */
function strangeDatagrams(): Buffer[] {
  const record = (type: number, epoch: number, body: number[]) =>
    Buffer.from([type, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 1, 0, 0, body.length, ...body]);
  const stun = (type: number, ...attributes: number[]) => {
    const header = Buffer.from("000000002112a442010101010101010101010101", "hex");
    header.writeUInt16BE(type);
    header.writeUInt16BE(attributes.length, 2);
    return Buffer.concat([header, Buffer.from(attributes)]);
  };
  return [
    stun(1),
    stun(1, 0, 6, 0, 4, ...Buffer.from("evil")),
    stun(1, 0, 6, 0, 8, ...Buffer.from("evil:bad"), 0, 0x25, 0, 0), // USE-CANDIDATE
    stun(0x11),
    stun(0x101),
    record(21, 0, [1, 0]),
    record(21, 0, [2, 40]),
    record(25, 0, [0]),
    record(22, 0, [1, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 4, 0xfe, 0xfd, 0, 0]),
    record(23, 1, new Array(40).fill(9)),
    Buffer.from([0x80, 96, 0, 0]),
    Buffer.from([0x40, 0, 0, 0]),
    Buffer.alloc(0),
    Buffer.alloc(60_000, 1),
  ];
}

/** Channel 0 of a peer, which gives back what comes. */
function echoing(pair: Pair): { opened: Promise<void> } {
  const channel = pair.peer.channel(0, "control");
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  channel.listen({ open, message: (bytes) => channel.send(bytes), low() {}, close() {} });
  return { opened };
}

async function echoes(pair: Pair, text: string): Promise<void> {
  const arrival = new Promise<string>((resolve) => {
    const { unSubscribe } = pair.channel.onMessage.subscribe((message) => {
      unSubscribe();
      resolve(message.toString());
    });
  });
  pair.channel.send(Buffer.from(text));
  assert.equal(await arrival, text);
}

function portOf(candidate: string): number {
  return Number(candidate.split(" ")[5]);
}

/** All addresses of a family share a port; loopback's own candidate comes late. */
function isOfIpv4(candidate: string): boolean {
  return isIPv4(candidate.split(" ")[4] ?? "");
}

Deno.test("strangers during and after the handshake are not answered, and change nothing", async () => {
  const stranger = new Stranger();
  const pair = await makePair();
  try {
    await limited((async () => {
      const { opened } = echoing(pair);
      const hostile = strangeDatagrams();
      let open = false;
      const flood = (async () => {
        while (!open) {
          const port = portOf(pair.candidates.find(isOfIpv4) ?? "");
          for (const datagram of hostile) if (port > 0) await stranger.send(datagram, port);
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      })();
      await exchange(pair);
      await opened;
      open = true;
      await flood;
      await echoes(pair, "after the handshake");
      const before = pair.peer.stats.udp;
      const port = portOf(pair.candidates.find(isOfIpv4)!);
      for (const datagram of hostile) await stranger.send(datagram, port);
      await echoes(pair, "after the strangers");
      const after = pair.peer.stats.udp;
      assert.ok(before.unauthenticated > 0 && before.strangers > 0 && before.unknown > 0);
      assert.ok(after.unauthenticated >= before.unauthenticated + 3);
      assert.deepEqual(stranger.answers, []);
      assert.deepEqual(pair.states, ["connecting", "connected"]);
    })());
  } finally {
    await pair.close();
    await stranger.close();
  }
});

Deno.test("sessions share one port, and the end of one leaves the other", async () => {
  const free = await openDatagramSocket({ family: 4, port: 0, receive() {} });
  const { port } = free;
  await free.close();
  const peers = createPeerFactory({ openSocket: openDatagramSocket, port });
  await peers.start();
  const pairs = [await makePair(peers), await makePair(peers)] as const;
  try {
    await limited((async () => {
      await Promise.all(pairs.map(async (pair) => {
        const { opened } = echoing(pair);
        await exchange(pair);
        await opened;
      }));
      for (const { candidates } of pairs) {
        assert.deepEqual(new Set(candidates.map(portOf)), new Set([port]));
      }
      await Promise.all(pairs.map((pair, index) => echoes(pair, `session ${index}`)));
      await pairs[0].peer.close();
      await echoes(pairs[1], "the other one");
    })());
  } finally {
    for (const pair of pairs) await pair.close();
    await peers.close();
  }
});

Deno.test("a port that is taken is refused before anything is served", async () => {
  const taken = await openDatagramSocket({ family: 4, port: 0, receive() {} });
  const peers = createPeerFactory({ openSocket: openDatagramSocket, port: taken.port });
  await assert.rejects(peers.start(), /Cannot use UDP port/);
  await peers.close();
  await taken.close();
});
