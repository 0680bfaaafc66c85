// What the agent relies on, with a werift connection as the other end (see `werift_offerer.ts` for
// what it is). The sanitizers are on: a socket or timer that outlives `close` fails the test.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, randomBytes, X509Certificate } from "node:crypto";
import { createSocket } from "node:dgram";
import { crc32c, createSelfSignedCertificate } from "werift";
import type { CreatePeer } from "../../src/agent/seams.ts";
import { answerSdp, offerSdp, readTransport } from "../../src/protocol/sdp.ts";
import { type DataChannel, MAX_AHEAD_BYTES, MAX_EARLY_BYTES } from "../../src/webrtc/channel.ts";
import { records } from "../../src/webrtc/dtls_record.ts";
import { createPeer } from "./peers.ts";
import { limited } from "./limited.ts";
import { exchange, makePair, type Pair } from "./werift_offerer.ts";

const fits: CreatePeer = createPeer; // the seam of the agent, by structure

/** Listens, and gives what arrives. */
function inbox(channel: DataChannel) {
  const messages: Uint8Array[] = [];
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  let [wake, low] = [() => {}, () => {}];
  channel.listen({
    open,
    close,
    low: () => low(),
    message: (bytes) => {
      messages.push(bytes);
      wake();
    },
  });
  return {
    opened,
    closed,
    onLow: () => new Promise<void>((resolve) => low = resolve),
    next: async (): Promise<Uint8Array> => {
      while (messages.length === 0) await new Promise<void>((resolve) => wake = resolve);
      return messages.shift()!;
    },
  };
}

/** Both ends of channel 0, open. */
async function connect(pair: Pair) {
  const channel = pair.peer.channel(0, "control");
  const box = inbox(channel);
  await exchange(pair);
  await box.opened;
  await pair.reached("connected");
  return { channel, box };
}

function received(pair: Pair): Promise<Uint8Array> {
  return new Promise((resolve) => {
    const { unSubscribe } = pair.channel.onMessage.subscribe((message) => {
      unSubscribe();
      resolve(new Uint8Array(message as Buffer));
    });
  });
}

function test(
  name: string,
  fn: (pair: Pair) => Promise<void>,
  options: Parameters<typeof makePair>[0] = {},
): void {
  Deno.test(name, async () => {
    const pair = await makePair(options);
    try {
      await limited(fn(pair));
    } finally {
      await pair.close();
    }
  });
}

test("the peer answers without its candidates, as server, with a certificate of its own", async (pair) => {
  await pair.offerer.setLocalDescription(await pair.offerer.createOffer());
  const transport = readTransport(pair.offerer.localDescription!.sdp);
  const answer = await pair.peer.answer(offerSdp({ transport, media: [] }));
  assert.doesNotMatch(answer, /a=candidate/);
  const fields = readTransport(answer);
  assert.equal(fields.setup, "passive");
  assert.ok(fields.ufrag.length >= 8 && fields.pwd.length >= 32);

  const other = await makePair();
  await other.offerer.setLocalDescription(await other.offerer.createOffer());
  const again = readTransport(await other.peer.answer(offerSdp({ transport, media: [] })));
  assert.notDeepEqual(again.fingerprint, fields.fingerprint);
  await other.close();
});

test("messages go both ways on channel 0, and the certificate is the offered one", async (pair) => {
  assert.equal(typeof fits, "function");
  assert.equal(pair.peer.seenFingerprint(), undefined);
  const { channel, box } = await connect(pair);
  const offered = pair.offerer.dtlsTransports[0]!.localCertificate!.certPem;
  const digest = createHash("sha256").update(new X509Certificate(offered).raw).digest();
  assert.deepEqual(pair.peer.seenFingerprint(), new Uint8Array(digest));

  for (const length of [1, 1159, 1160, 1161, 30_000]) {
    const message = randomBytes(length);
    const arrival = received(pair);
    channel.send(message);
    assert.deepEqual(await arrival, new Uint8Array(message));
    pair.channel.send(message);
    assert.deepEqual(await box.next(), new Uint8Array(message));
  }
  assert.equal(channel.bufferedAmount, 0);
});

test("bufferedAmount is what waits in this channel, and low is told below the mark", async (pair) => {
  const { channel, box } = await connect(pair);
  let arrived = 0;
  pair.channel.onMessage.subscribe((message) => arrived += message.length);
  const message = randomBytes(16_384);
  for (let i = 0; i < 64; i++) channel.send(message);
  assert.ok(channel.room < 0);
  await box.onLow();
  assert.ok(channel.room > 0 && channel.bufferedAmount <= MAX_AHEAD_BYTES / 2);
  assert.ok(arrived > 0, "low came before anything had arrived");
});

test("an urgent message on channel 0 passes what waits on channel 1", async (pair) => {
  const { channel } = await connect(pair);
  const far = pair.offerer.createDataChannel("bulk", { negotiated: true, id: 1, ordered: true });
  const bulk = pair.peer.channel(1, "bulk");
  inbox(bulk);
  let bulkBytes = 0;
  far.onMessage.subscribe((message) => bulkBytes += message.length);
  for (let i = 0; i < 128; i++) bulk.send(randomBytes(16_384));
  const arrival = received(pair);
  channel.send(Uint8Array.of(1));
  await arrival;
  assert.ok(bulkBytes < 128 * 16_384 / 2, `${bulkBytes} bytes came first`);
});

test("a message that comes before its channel is created waits for it", async (pair) => {
  const { box } = await connect(pair);
  const far = pair.offerer.createDataChannel("bulk", { negotiated: true, id: 1, ordered: true });
  far.send(Buffer.from([7, 8]));
  pair.channel.send(Buffer.from([1]));
  await box.next(); // sent later, so that the other has arrived
  const late = inbox(pair.peer.channel(1, "bulk"));
  assert.deepEqual(await late.next(), Uint8Array.of(7, 8));
});

test("a peer that floods a channel we never created is cut off", async (pair) => {
  const { box } = await connect(pair);
  const far = pair.offerer.createDataChannel("bulk", { negotiated: true, id: 9, ordered: true });
  for (let sent = 0; sent <= MAX_EARLY_BYTES; sent += 16_384) far.send(Buffer.alloc(16_384));
  await box.closed;
  await pair.reached("closed");
});

test("text, empty and oversize messages do not pass, and a closed channel takes nothing", async (pair) => {
  const { channel, box } = await connect(pair);
  pair.channel.send("text");
  pair.channel.send(Buffer.from([5]));
  assert.deepEqual(await box.next(), Uint8Array.of(5));
  assert.throws(() => channel.send(new Uint8Array()), RangeError);
  assert.throws(() => channel.send(new Uint8Array(262_145)), RangeError);
  assert.throws(() => pair.peer.channel(0, "again"), /exists/);
  await pair.peer.close();
  await box.closed;
  channel.send(Uint8Array.of(1));
  assert.equal(channel.bufferedAmount, 0);
});

/** One SCTP packet with a right checksum and tag from the offerer's association. */
function packet(pair: Pair, ...chunks: readonly Uint8Array[]): Buffer {
  const isInit = chunks[0]?.[0] === 1; // RFC 9260 8.5.1: INIT has tag 0
  const header = Buffer.alloc(12);
  header.writeUInt16BE(5000, 0);
  header.writeUInt16BE(5000, 2);
  const tag = Reflect.get(pair.offerer.sctpTransport!.sctp, "remoteVerificationTag") as number;
  header.writeUInt32BE(isInit ? 0 : tag, 4);
  const whole = Buffer.concat([header, ...chunks]);
  whole.writeUInt32LE(crc32c(whole), 8);
  return whole;
}

test("SCTP packets that kill or hang a bare werift change nothing", async (pair) => {
  const { box } = await connect(pair);
  const transport = pair.offerer.dtlsTransports[0]!;
  const badChecksum = packet(pair, Buffer.from([4, 0, 0, 8, 0, 1, 0, 4]));
  badChecksum[8]! ^= 1;
  const hostile = [
    badChecksum,
    packet(pair, Buffer.from([77, 0, 0, 4])), // unknown chunk
    packet(pair, Buffer.from([0, 3, 0, 0])), // length 0: an endless loop
    packet(pair, Buffer.from([4, 0, 0, 8, 0, 1, 0, 0])), // parameter of length 0: another
    packet(pair, Buffer.from([3, 0, 0, 20, ...new Array(8).fill(0), 0, 1, 0, 0, 0, 9, 0, 1])), // gap backwards
    packet(pair, Buffer.from([1, 0, 0, 20, ...new Array(16).fill(0)]), Buffer.from([11, 0, 0, 4])),
    packet(pair, Buffer.from([1, 0, 0, 20, ...new Array(16).fill(1)])), // INIT once more
    Buffer.alloc(0),
    Buffer.alloc(11),
  ];
  for (const bytes of hostile) await transport.sendData(bytes);
  pair.channel.send(Buffer.from([1, 2]));
  assert.deepEqual(await box.next(), Uint8Array.of(1, 2));
  assert.deepEqual(pair.states, ["connecting", "connected"]);
});

test("the end of the other side is told to the peer and to its channels", async (pair) => {
  const { box } = await connect(pair);
  await pair.offerer.close();
  await box.closed;
  await pair.reached("closed");
  assert.deepEqual(pair.states, ["connecting", "connected", "closed"]);
});

test("a certificate that was not offered ends the connection", async (pair) => {
  await pair.offerer.setLocalDescription(await pair.offerer.createOffer());
  const transport = readTransport(pair.offerer.localDescription!.sdp);
  const wrong = { ...transport, fingerprint: new Uint8Array(32) };
  const answer = await pair.peer.answer(offerSdp({ transport: wrong, media: [] }));
  await pair.offerer.setRemoteDescription({
    type: "answer",
    sdp: answerSdp({ transport: readTransport(answer), media: [] }),
  });
  await pair.reached("failed");
  assert.equal(pair.peer.seenFingerprint(), undefined);
});

Deno.test("a certificate without its key ends the connection", async () => {
  const make = () => createSelfSignedCertificate({ signature: 3, hash: 4 }, 23);
  const [victim, thief] = [await make(), await make()];
  const stolen = { ...victim, keyPem: thief.keyPem };
  const pair = await makePair({ offerer: { dtls: { keys: stolen } } });
  try {
    await exchange(pair);
    await limited(Promise.race([pair.reached("failed"), pair.reached("connected")]));
    assert.deepEqual(pair.states, ["connecting", "failed"]);
    assert.equal(pair.peer.seenFingerprint(), undefined);
  } finally {
    await pair.close();
  }
});

test("records in clear, of unknown kinds or forged do not end a session", async (pair) => {
  const { box } = await connect(pair);
  const ice = pair.offerer.iceTransports[0]!.connection;
  const record = (type: number, epoch: number, body: number[]) =>
    Buffer.from([type, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 1, 0, 0, body.length, ...body]);
  const hello = [1, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 4, 0xfe, 0xfd, 0, 0];
  for (
    const datagram of [
      record(21, 0, [1, 0]), // close_notify in clear
      record(21, 0, [2, 40]),
      record(21, 1, new Array(26).fill(0)), // an alert that was not encrypted with our keys
      record(25, 0, [0]),
      record(25, 1, [0]),
      record(22, 0, hello),
      record(22, 1, hello),
      record(23, 1, new Array(40).fill(9)),
      Buffer.from([21]),
    ]
  ) await ice.send(datagram);
  pair.channel.send(Buffer.from([1, 2]));
  assert.deepEqual(await box.next(), Uint8Array.of(1, 2));
  assert.deepEqual(pair.states, ["connecting", "connected"]);
});

test("no number of an encrypted record is used twice", async (pair) => {
  const seen: string[] = [];
  const offererSide = pair.offerer.iceTransports[0]!.connection;
  offererSide.onData.subscribe((datagram) => {
    for (const { epoch, sequenceNumber } of records(datagram)) {
      if (epoch === 1) seen.push(`${epoch} ${sequenceNumber}`);
    }
  });
  const { channel } = await connect(pair);
  const arrival = received(pair);
  channel.send(new Uint8Array(40_000));
  await arrival;
  assert.ok(seen.length > 30);
  assert.equal(new Set(seen).size, seen.length);
});

test("candidates with names, of TCP, malformed or too many are dropped without a word", async (pair) => {
  await connect(pair);
  for (
    const candidate of [
      "candidate:1 1 udp 1 9b36eaac-bb2e-49bb-bb78-21c41c499900.local 5000 typ host",
      "candidate:1 1 udp 1 metadata.internal 80 typ host",
      "candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype active",
      "candidate:",
      "",
      "a\r\nb",
      ...Array.from({ length: 200 }, (_, i) => `candidate:1 1 udp 1 192.0.2.9 ${i + 1} typ x`),
    ]
  ) await pair.peer.addCandidate(candidate);
  assert.deepEqual(pair.states, ["connecting", "connected"]);
});

Deno.test("close ends a peer in every state, twice, and a closed one answers nothing", async () => {
  const fresh = await makePair();
  await fresh.peer.close();
  await fresh.peer.close();
  await assert.rejects(fresh.peer.answer("v=0\r\n"), /closed/);
  await fresh.close();

  const answered = await makePair();
  await answered.offerer.setLocalDescription(await answered.offerer.createOffer());
  const transport = readTransport(answered.offerer.localDescription!.sdp);
  await answered.peer.answer(offerSdp({ transport, media: [] }));
  await answered.close();

  const underWay = await makePair();
  await exchange(underWay);
  await underWay.close();
  assert.ok(!underWay.states.includes("closed"), "its own close was told");
});

Deno.test("an offer that is none is refused, and leaves nothing behind", async () => {
  const pair = await makePair();
  await assert.rejects(pair.peer.answer("m=nonsense\r\n"));
  await pair.close();
});

Deno.test("a named STUN server is asked, and its silence delays nothing", async () => {
  const server = createSocket("udp4");
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  server.on("message", () => resolve());
  await new Promise<void>((done) => server.bind(0, "127.0.0.1", done));
  const iceServers = [{ urls: `stun:127.0.0.1:${server.address().port}` }];
  const pair = await makePair({ iceServers });
  await limited(connect(pair));
  await limited(asked);
  await pair.close();
  await new Promise<void>((done) => server.close(() => done()));
});
