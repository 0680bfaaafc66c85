/** The first twelve bytes of every packet (RFC 9260 3.1), and the port that all of ours carry. */
import { packetChecksum } from "./crc32c.ts";
import { readU16, readU32, writeU16, writeU32 } from "./words.ts";

export const COMMON_HEADER_BYTES = 12;
/** Both ends' port: our descriptions say `a=sctp-port:5000`, and so does every browser. */
export const SCTP_PORT = 5000;
/** Largest datagram that UDP carries. */
const MAX_PACKET_BYTES = 65_535;

/** Writes ports and tag at `at`; the checksum comes last, by `seal`. */
export function writeCommonHeader(bytes: Uint8Array, at: number, tag: number): void {
  writeU16(bytes, at, SCTP_PORT);
  writeU16(bytes, at + 2, SCTP_PORT);
  writeU32(bytes, at + 4, tag);
}

/** Writes the checksum of the packet in bytes `from` to `to`, low byte first (appendix A). */
export function seal(bytes: Uint8Array, from: number, to: number): void {
  const sum = packetChecksum(bytes, from, to);
  bytes[from + 8] = sum;
  bytes[from + 9] = sum >>> 8;
  bytes[from + 10] = sum >>> 16;
  bytes[from + 11] = sum >>> 24;
}

/** Whether this is a whole packet for us, unharmed: checked before anything else is read (6.8). */
export function isPacket(packet: Uint8Array): boolean {
  const { length } = packet;
  if (length < COMMON_HEADER_BYTES + 4 || length > MAX_PACKET_BYTES) return false;
  const sum = packet[8]! | (packet[9]! << 8) | (packet[10]! << 16) | (packet[11]! << 24);
  if (packetChecksum(packet, 0, length) !== sum >>> 0) return false;
  return readU16(packet, 0) === SCTP_PORT && readU16(packet, 2) === SCTP_PORT;
}

export function verificationTag(packet: Uint8Array): number {
  return readU32(packet, 4);
}
