/**
 * Whether an SCTP packet may reach werift's association, which ends the process or never returns on
 * packets that any peer can send (werift-audit.md 8). Pure. Goes away with our own association;
 * until then a packet that is not plain is lost, as on a bad line.
 *
 * RFC 9260 3.2 wants unknown chunks skipped or reported; here the packet with one is dropped. No
 * browser sends any.
 */

const HEADER_BYTES = 12;
const CHUNK_HEADER_BYTES = 4;
/** A datagram of a peer connection fits into an Ethernet frame; four times that is generous. */
const MAX_PACKET_BYTES = 6000;

const DATA = 0;
const INIT = 1;
const INIT_ACK = 2;
const SACK = 3;
const RECONFIG = 130;
const FORWARD_TSN = 192;

/**
 * Bytes that each chunk has at least, header included, by type: what werift reads without looking.
 */
const MINIMUM_BYTES: Readonly<Record<number, number>> = {
  [DATA]: 17, // one byte of data: an empty message stalls the stream
  [INIT]: 20,
  [INIT_ACK]: 20,
  [SACK]: 16,
  4: 4, // HEARTBEAT
  5: 4, // HEARTBEAT ACK
  6: 4, // ABORT
  7: 8, // SHUTDOWN
  8: 4, // SHUTDOWN ACK
  9: 4, // ERROR
  10: 4, // COOKIE ECHO
  11: 4, // COOKIE ACK
  14: 4, // SHUTDOWN COMPLETE
  [RECONFIG]: 8,
};
// FORWARD TSN (192) is not among them: our channels are reliable, and it may tear holes into them.

/** Where the parameters of a chunk begin, by type, for those whose parameters werift reads. */
const PARAMETERS_AT: Readonly<Record<number, number>> = {
  [INIT]: 20,
  [INIT_ACK]: 20,
  4: 4,
  5: 4,
  6: 4,
  9: 4,
  [RECONFIG]: 4,
};

/**
 * Says yes to a packet with a right checksum and sound chunks. `crc32c` is over the packet with a
 * zero checksum.
 */
export function isSoundPacket(packet: Uint8Array, crc32c: (bytes: Uint8Array) => number): boolean {
  if (packet.length < HEADER_BYTES + CHUNK_HEADER_BYTES) return false;
  if (packet.length > MAX_PACKET_BYTES) return false;
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  return areSoundChunks(view) && hasRightChecksum(packet, crc32c);
}

function hasRightChecksum(packet: Uint8Array, crc32c: (bytes: Uint8Array) => number): boolean {
  const copy = new Uint8Array(packet); // `slice` of a Buffer would share the bytes
  const view = new DataView(copy.buffer);
  const expected = view.getUint32(8, true);
  view.setUint32(8, 0);
  return (crc32c(copy) >>> 0) === expected;
}

function areSoundChunks(packet: DataView): boolean {
  let alone = false; // INIT and INIT ACK do not travel with others (RFC 9260 6.10)
  let count = 0;
  for (let at = HEADER_BYTES; at < packet.byteLength; count++) {
    if (at + CHUNK_HEADER_BYTES > packet.byteLength) return false;
    const type = packet.getUint8(at);
    const length = packet.getUint16(at + 2);
    if (at + length > packet.byteLength || !isSoundChunk(packet, { at, type, length })) {
      return false;
    }
    alone ||= type === INIT || type === INIT_ACK;
    at += length + padding(length);
  }
  return !(alone && count > 1);
}

interface Chunk {
  readonly at: number;
  readonly type: number;
  readonly length: number;
}

function isSoundChunk(packet: DataView, { at, type, length }: Chunk): boolean {
  const minimum = MINIMUM_BYTES[type];
  if (minimum === undefined || length < minimum) return false;
  if (type === SACK && !areSoundGaps(packet, { at, type, length })) return false;
  const parameters = PARAMETERS_AT[type];
  return parameters === undefined || areSoundParameters(packet, at + parameters, at + length);
}

/** Gap blocks ascend, so that all together they span at most 65 535 numbers (RFC 9260 3.3.4). */
function areSoundGaps(packet: DataView, { at, length }: Chunk): boolean {
  const gaps = packet.getUint16(at + 12);
  const duplicates = packet.getUint16(at + 14);
  if (16 + 4 * (gaps + duplicates) !== length) return false;
  let last = 0;
  for (let i = 0; i < gaps; i++) {
    const start = packet.getUint16(at + 16 + 4 * i);
    const end = packet.getUint16(at + 18 + 4 * i);
    if (start <= last || end < start) return false;
    last = end;
  }
  return true;
}

function areSoundParameters(packet: DataView, from: number, to: number): boolean {
  for (let at = from; at < to;) {
    if (at + 4 > to) return false;
    const length = packet.getUint16(at + 2);
    if (length < 4 || at + length > to) return false;
    if (!isSoundParameter(packet, at, length)) return false;
    at += length + padding(length);
  }
  return true;
}

/** Fixed fields of RE-CONFIG parameters (RFC 6525 4), which werift reads without looking. */
const RESET_MINIMUM_BYTES: Readonly<Record<number, number>> = { 13: 16, 14: 8, 16: 12, 17: 12 };

function isSoundParameter(packet: DataView, at: number, length: number): boolean {
  const minimum = RESET_MINIMUM_BYTES[packet.getUint16(at)];
  return minimum === undefined || (length >= minimum && length % 2 === 0);
}

function padding(length: number): number {
  return (4 - (length % 4)) % 4;
}

/** Chunk types for tests and for the caller that refuses a second handshake. */
export const CHUNK_TYPES = { DATA, INIT, INIT_ACK, SACK, RECONFIG, FORWARD_TSN } as const;

/** Type of the first chunk of a sound packet. */
export function firstChunkType(packet: Uint8Array): number {
  return packet[HEADER_BYTES]!;
}
