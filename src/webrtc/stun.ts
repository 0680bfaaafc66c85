/**
 * As much of STUN (RFC 8489) as it takes to decide whether a datagram may reach werift: its kind,
 * its transaction, and whether a binding request is from somebody who knows both names and our
 * password (RFC 8445 7.3). Pure but for HMAC. werift answers requests without looking at either
 * (werift-audit.md 4).
 */
import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";

const HEADER_BYTES = 20;
const COOKIE = 0x2112a442;
const USERNAME = 0x0006;
const MESSAGE_INTEGRITY = 0x0008;
const INTEGRITY_BYTES = 20; // HMAC-SHA1
/** An attribute of any kind, with its header: type, length. */
const ATTRIBUTE_HEADER_BYTES = 4;
/** A check of a browser has eight attributes; a longer message is not one. */
const MAX_ATTRIBUTES = 24;

/** What a datagram is by its first byte (RFC 7983 7), and by its class if it is STUN. */
export type DatagramKind =
  | "request"
  | "response"
  | "indication"
  | "dtls"
  | "media"
  | "channel"
  | "unknown";

/** Tells the kind of a datagram. STUN is recognised by length and cookie as well. */
export function kindOf(datagram: Uint8Array): DatagramKind {
  const first = datagram[0];
  if (first === undefined) return "unknown";
  if (first < 4) return stunKind(datagram, first);
  if (first >= 20 && first <= 23) return "dtls"; // the four content types of DTLS 1.2
  if (first >= 64 && first <= 79) return "channel"; // RFC 8656 12
  if (first >= 128 && first <= 191) return "media";
  return "unknown";
}

function stunKind(datagram: Uint8Array, first: number): DatagramKind {
  if (datagram.length < HEADER_BYTES || uint32(datagram, 4) !== COOKIE) return "unknown";
  const length = uint16(datagram, 2);
  if (length % 4 !== 0 || HEADER_BYTES + length !== datagram.length) return "unknown";
  // RFC 8489 5: two bits in the middle of the type are the class.
  const isAnswer = (first & 1) !== 0;
  if (isAnswer) return "response";
  return (datagram[1]! & 0x10) === 0 ? "request" : "indication";
}

/** The transaction of a STUN message, as werift names it. */
export function transactionOf(message: Uint8Array): string {
  return Buffer.from(message.buffer, message.byteOffset + 8, 12).toString("hex");
}

/** Whether a STUN request is a binding request. */
export function isBinding(message: Uint8Array): boolean {
  return message[0] === 0 && message[1] === 1;
}

/** Attributes that authenticate a message, as positions in it. */
interface Proof {
  readonly username: string;
  /** Where the attribute MESSAGE-INTEGRITY begins. */
  readonly integrityAt: number;
}

/**
 * USERNAME of a message that carries MESSAGE-INTEGRITY behind it; undefined for one that does not,
 * or is cut badly. Nothing behind MESSAGE-INTEGRITY counts (RFC 8489 14.5).
 */
export function readProof(message: Uint8Array): Proof | undefined {
  let username: string | undefined;
  let at = HEADER_BYTES;
  for (let i = 0; i < MAX_ATTRIBUTES && at + ATTRIBUTE_HEADER_BYTES <= message.length; i++) {
    const type = uint16(message, at);
    const length = uint16(message, at + 2);
    const value = at + ATTRIBUTE_HEADER_BYTES;
    if (value + length > message.length) return undefined;
    if (type === USERNAME) {
      if (username !== undefined) return undefined;
      username = Buffer.from(message.buffer, message.byteOffset + value, length).toString("latin1");
    }
    if (type === MESSAGE_INTEGRITY) {
      if (length !== INTEGRITY_BYTES || username === undefined) return undefined;
      return { username, integrityAt: at };
    }
    at = value + length + (-length & 3);
  }
  return undefined;
}

/**
 * Whether MESSAGE-INTEGRITY was made with this password (RFC 8489 14.5): over the message in front
 * of it, with the length as if it were the last attribute. Takes the same time for any wrong one.
 */
export function hasIntegrity(message: Uint8Array, proof: Proof, password: string): boolean {
  const { integrityAt } = proof;
  const signed = Buffer.from(message.subarray(0, integrityAt));
  signed.writeUInt16BE(
    integrityAt + ATTRIBUTE_HEADER_BYTES + INTEGRITY_BYTES - HEADER_BYTES,
    2,
  );
  const value = integrityAt + ATTRIBUTE_HEADER_BYTES;
  const found = message.subarray(value, value + INTEGRITY_BYTES);
  return timingSafeEqual(createHmac("sha1", password).update(signed).digest(), found);
}

function uint16(bytes: Uint8Array, at: number): number {
  return bytes[at]! << 8 | bytes[at + 1]!;
}

function uint32(bytes: Uint8Array, at: number): number {
  return (uint16(bytes, at) << 16 | uint16(bytes, at + 2)) >>> 0;
}
