// DTLS against werift as it comes, which does what no browser does: over real sockets.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createSelfSignedCertificate, RTCPeerConnection } from "werift";
import { DtlsControl } from "../../src/webrtc/dtls_patch.ts";
import { connectionInternals } from "../../src/webrtc/internals.ts";
import { limited } from "./limited.ts";
import { exchange, makePair, type Pair } from "./werift_offerer.ts";

type Keys = Awaited<ReturnType<typeof createSelfSignedCertificate>>;

const makeKeys = () => createSelfSignedCertificate({ signature: 3, hash: 4 }, 23);

const LOOPBACK = {
  iceServers: [{ urls: "stun:127.0.0.1:9" }], // an empty list would mean Google's
  iceStunGatherTimeout: 0.05,
  iceAdditionalHostAddresses: ["127.0.0.1"],
  iceInterfaceAddresses: { udp4: "127.0.0.1" },
  iceUseIpv6: false,
  bundlePolicy: "max-bundle" as const,
} satisfies ConstructorParameters<typeof RTCPeerConnection>[0];

/** How a DTLS client with our checks ends up with a server that shows these keys. */
async function asClient(keys: Keys): Promise<{ state: string; seen: boolean }> {
  const server = new RTCPeerConnection({ ...LOOPBACK, dtls: { keys } });
  server.createDataChannel("control", { negotiated: true, id: 0 });
  const client = new RTCPeerConnection(LOOPBACK);
  const sctp = connectionInternals(client).createSctpTransport();
  const transport = sctp.dtlsTransport;
  const control = new DtlsControl(transport, {
    role: "client",
    handlers: {
      send: (datagram) => {
        transport.iceTransport.connection.send(Buffer.from(datagram)).catch(() => {});
      },
      data() {},
    },
  });
  const decided = new Promise<string>((resolve) => {
    transport.onStateChange.subscribe((state) => {
      if (state === "connected" || state === "failed") resolve(state);
    });
  });
  try {
    await server.setLocalDescription(await server.createOffer());
    await client.setRemoteDescription(server.localDescription!);
    await client.setLocalDescription(await client.createAnswer());
    await server.setRemoteDescription(client.localDescription!);
    return { state: await limited(decided), seen: control.seenFingerprint !== undefined };
  } finally {
    control.close();
    const handshake = server.dtlsTransports[0]?.dtls?.dtls;
    if (handshake !== undefined) handshake.flight = 99;
    await Promise.all([server.close(), client.close()]);
    await new Promise((resolve) => setTimeout(resolve, 2500)); // werift's timers
  }
}

Deno.test("as a client we take a server that has its key", async () => {
  assert.deepEqual(await asClient(await makeKeys()), { state: "connected", seen: true });
});

Deno.test("as a client we refuse a server with a certificate that is not its own", async () => {
  const [victim, thief] = [await makeKeys(), await makeKeys()];
  const found = await asClient({ ...victim, keyPem: thief.keyPem });
  assert.deepEqual(found, { state: "failed", seen: false });
});

/** What a test of a connected session needs to reach. */
async function connected(pair: Pair) {
  const channel = pair.peer.channel(0, "control");
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  channel.listen({ open, message: (bytes) => channel.send(bytes), low() {}, close() {} });
  await exchange(pair);
  await opened;
  const transport = pair.offerer.dtlsTransports[0]!;
  const socket = transport.dtls!;
  const echo = async () => {
    const back = new Promise<void>((resolve) => pair.channel.onMessage.once(() => resolve()));
    pair.channel.send(Buffer.from([1, 2, 3]));
    await back;
  };
  /** A record made with the session's keys. */
  const sealed = (contentType: number, content: readonly number[]) => {
    const sequenceNumber = ++socket.dtls.recordSequenceNumber;
    const recordLayerHeader = {
      contentType,
      sequenceNumber,
      protocolVersion: { major: 0xfe, minor: 0xfd },
      epoch: 1,
      contentLen: content.length,
    };
    const plain = { recordLayerHeader, fragment: Buffer.from(content) };
    type Plain = Parameters<typeof socket.cipher.encryptPacket>[0];
    const { fragment } = socket.cipher.encryptPacket(plain as Plain);
    const header = Buffer.from([contentType, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    header.writeUIntBE(sequenceNumber, 5, 6);
    header.writeUInt16BE(fragment.length, 11);
    return Buffer.concat([header, fragment]);
  };
  const send = (datagram: Buffer) => transport.iceTransport.connection.send(datagram);
  return { transport, socket, echo, sealed, send };
}

function test(name: string, fn: (pair: Pair) => Promise<void>): void {
  Deno.test(name, async () => {
    const pair = await makePair();
    try {
      await limited(fn(pair));
    } finally {
      await pair.close();
    }
  });
}

test("an end without SRTP, or with other ciphers for it, has its channels", async (pair) => {
  Reflect.set(pair.offerer.dtlsTransports[0]!, "srtpProfiles", []);
  const { echo } = await connected(pair);
  await echo();
  await pair.reached("connected");
});

const CLIENT_HELLO = [1, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 4, 0xfe, 0xfd, 0, 0];

test("a new handshake under the keys of the old one is not begun, and changes nothing", async (pair) => {
  const { echo, sealed, send } = await connected(pair);
  await send(sealed(22, CLIENT_HELLO));
  await echo();
  assert.equal(pair.peer.stats.dtls.unexpected, 1);
  assert.deepEqual(pair.states, ["connecting", "connected"]);
});

test("a record that was here before is not taken again", async (pair) => {
  const { echo, sealed, send } = await connected(pair);
  const warning = sealed(21, [1, 90]); // user_canceled: nothing follows from it
  await send(warning);
  await send(warning);
  await echo();
  assert.equal(pair.peer.stats.dtls.replayed, 1);
});

test("a Finished that comes again is answered with our last flight, under new numbers", async (pair) => {
  const { socket, echo, sealed, send } = await connected(pair);
  const numbers = [0]; // of our first Finished
  const { onData } = socket.transport.socket;
  socket.transport.socket.onData = (datagram, from) => {
    if (datagram[0] === 22 && datagram[4] === 1) numbers.push(datagram.readUIntBE(5, 6));
    onData(datagram, from);
  };
  const finished = [20, 0, 0, 12, 0, 5, 0, 0, 0, 0, 0, 12, ...new Array(12).fill(0)];
  await send(sealed(22, finished));
  await send(sealed(22, finished));
  await echo();
  assert.equal(numbers.length, 3);
  assert.equal(new Set(numbers).size, 3, `${numbers}`);
  assert.deepEqual(pair.states, ["connecting", "connected"]);
});

for (
  const [name, alert] of [["a goodbye", [1, 0]], ["a fatal alert", [2, 40]]] as const
) {
  test(`${name} made with the session's keys ends it`, async (pair) => {
    const { sealed, send } = await connected(pair);
    await send(sealed(21, alert));
    await pair.reached("closed");
  });
}

test("the other end is told when we close", async (pair) => {
  const { transport } = await connected(pair);
  const closed = new Promise<void>((resolve) => {
    transport.onStateChange.subscribe((state) => state === "closed" && resolve());
  });
  await pair.peer.close();
  await closed;
});
