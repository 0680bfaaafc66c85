/**
 * The record layer of DTLS 1.2 with AES-128-GCM (RFC 6347 4.1, RFC 5288): records are cut out of
 * datagrams, opened once, kept from being replayed, and sealed in the buffer that they leave in.
 * Pure but for node:crypto. What werift's own has sealed for the handshake is sealed anew by this
 * one (`dtls_flights.ts`), so that numbers have one source.
 */
import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv } from "node:crypto";

const HEADER_BYTES = 13; // RFC 6347 4.1
const EXPLICIT_NONCE_BYTES = 8; // RFC 5288 3
const TAG_BYTES = 16;
const AAD_BYTES = 13; // RFC 5246 6.2.3.3
const CIPHER = "aes-128-gcm";

/** Bytes that a record needs in front of what it carries. */
export const RECORD_HEADROOM = HEADER_BYTES + EXPLICIT_NONCE_BYTES;
/** Bytes that a record needs behind what it carries. */
export const RECORD_TAILROOM = TAG_BYTES;

/** Content types of RFC 5246 6.2.1. */
export const CONTENT = { ALERT: 21, HANDSHAKE: 22, DATA: 23 } as const;

/** DTLS 1.2; the first record of a client may say 1.0 (RFC 6347 4.1). */
const VERSION_MAJOR = 0xfe;
const VERSION_MINOR = 0xfd;

/** A record of a datagram. */
export interface DtlsRecord {
  readonly type: number;
  readonly epoch: number;
  readonly sequenceNumber: number;
  readonly fragment: Uint8Array;
  /** Header and fragment. */
  readonly bytes: Uint8Array;
}

/**
 * Cuts a datagram into records; what is left behind the last whole one, or begins with another
 * version, is dropped (RFC 6347 4.1.2.7).
 */
export function records(datagram: Uint8Array): DtlsRecord[] {
  const found: DtlsRecord[] = [];
  for (let at = 0; at + HEADER_BYTES <= datagram.length;) {
    const end = at + HEADER_BYTES + (datagram[at + 11]! << 8 | datagram[at + 12]!);
    if (end > datagram.length || datagram[at + 1] !== VERSION_MAJOR) break;
    found.push({
      type: datagram[at]!,
      epoch: datagram[at + 3]! << 8 | datagram[at + 4]!,
      sequenceNumber: readNumber(datagram, at + 5),
      fragment: datagram.subarray(at + HEADER_BYTES, end),
      bytes: datagram.subarray(at, end),
    });
    at = end;
  }
  return found;
}

function readNumber(bytes: Uint8Array, at: number): number {
  const high = bytes[at]! << 8 | bytes[at + 1]!;
  const low =
    (bytes[at + 2]! << 24 | bytes[at + 3]! << 16 | bytes[at + 4]! << 8 | bytes[at + 5]!) >>> 0;
  return high * 2 ** 32 + low;
}

/** Key and fixed part of the nonce of one direction. */
export interface DirectionKeys {
  readonly key: Uint8Array;
  /** Four bytes. */
  readonly salt: Uint8Array;
}

/** Numbers below the newest that are remembered. RFC 6347 4.1.2.6 asks for 32, and likes 64. */
const WINDOW = 512;

/** Which record numbers have been seen. */
export class ReplayWindow {
  /** One bit for each number, at its remainder. */
  readonly #seen = new Uint32Array(WINDOW / 32);
  #newest = -1;

  /** Whether a record of this number may be opened. */
  isFresh(number: number): boolean {
    if (number > this.#newest) return true;
    return number > this.#newest - WINDOW && !this.#has(number);
  }

  /** Notes a number whose record was authentic. */
  add(number: number): void {
    if (number > this.#newest) {
      const from = Math.max(this.#newest + 1, number - WINDOW + 1);
      for (let passed = from; passed <= number; passed++) this.#clear(passed % WINDOW);
      this.#newest = number;
    }
    const bit = number % WINDOW;
    this.#seen[bit >>> 5]! |= 1 << (bit & 31);
  }

  #has(number: number): boolean {
    const bit = number % WINDOW;
    return (this.#seen[bit >>> 5]! & (1 << (bit & 31))) !== 0;
  }

  #clear(bit: number): void {
    this.#seen[bit >>> 5]! &= ~(1 << (bit & 31));
  }
}

/** Opens records of epoch 1. */
export class RecordOpener {
  readonly #key: Uint8Array;
  readonly #nonce: Uint8Array;
  readonly #aad = new Uint8Array(AAD_BYTES);
  readonly #window = new ReplayWindow();

  constructor({ key, salt }: DirectionKeys) {
    this.#key = key;
    this.#nonce = nonceOf(salt);
  }

  /** The content; undefined if the record is not from the holder of the keys, and "replayed" if it was here before. */
  open(record: DtlsRecord): Buffer | "replayed" | undefined {
    const { fragment, sequenceNumber, bytes } = record;
    const length = fragment.length - EXPLICIT_NONCE_BYTES - TAG_BYTES;
    if (length < 0) return undefined;
    if (!this.#window.isFresh(sequenceNumber)) return "replayed";
    this.#nonce.set(fragment.subarray(0, EXPLICIT_NONCE_BYTES), 4);
    this.#aad.set(bytes.subarray(3, 11)); // epoch and number
    this.#aad.set(bytes.subarray(0, 3), 8); // type and version
    this.#aad[11] = length >>> 8;
    this.#aad[12] = length;
    const cipher = createDecipheriv(CIPHER, this.#key, this.#nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(this.#aad);
    cipher.setAuthTag(fragment.subarray(fragment.length - TAG_BYTES));
    try {
      const content = cipher.update(fragment.subarray(EXPLICIT_NONCE_BYTES, -TAG_BYTES));
      cipher.final();
      this.#window.add(sequenceNumber);
      return content;
    } catch {
      return undefined;
    }
  }
}

/** RFC 6347 4.1: numbers have 48 bits and never come again under a key. */
const LAST_NUMBER = 2 ** 48 - 1;

/** Seals records of epoch 1. There is one for the keys of a direction, or nonces would come again. */
export class RecordSealer {
  readonly #key: Uint8Array;
  readonly #nonce: Uint8Array;
  readonly #aad = new Uint8Array(AAD_BYTES);
  #next: number;

  constructor({ key, salt }: DirectionKeys, first = 0) {
    this.#key = key;
    this.#nonce = nonceOf(salt);
    this.#next = first;
  }

  /**
   * Makes a record of `length` bytes at `offset`, in place: the buffer has `RECORD_HEADROOM` bytes
   * in front of them and `RECORD_TAILROOM` behind. Gives the whole record; undefined when the
   * numbers are used up, and the connection with them.
   */
  seal(
    type: number,
    { buffer, offset, length }: {
      readonly buffer: Uint8Array;
      readonly offset: number;
      readonly length: number;
    },
  ): Uint8Array | undefined {
    if (this.#next > LAST_NUMBER) return undefined;
    const start = offset - RECORD_HEADROOM;
    this.#writeHeader(buffer, start, { type, length, number: this.#next++ });
    const cipher = createCipheriv(CIPHER, this.#key, this.#nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(this.#aad);
    buffer.set(cipher.update(buffer.subarray(offset, offset + length)), offset);
    cipher.final();
    buffer.set(cipher.getAuthTag(), offset + length);
    return buffer.subarray(start, offset + length + TAG_BYTES);
  }

  #writeHeader(
    buffer: Uint8Array,
    at: number,
    { type, length, number }: {
      readonly type: number;
      readonly length: number;
      readonly number: number;
    },
  ): void {
    const high = Math.floor(number / 2 ** 32);
    const fragment = EXPLICIT_NONCE_BYTES + length + TAG_BYTES;
    const header = [
      ...[type, VERSION_MAJOR, VERSION_MINOR, 0, 1],
      ...[high >>> 8, high, number >>> 24, number >>> 16, number >>> 8, number],
      ...[fragment >>> 8, fragment],
    ];
    buffer.set(header, at);
    buffer.copyWithin(at + HEADER_BYTES, at + 3, at + 11);
    this.#nonce.set(buffer.subarray(at + 3, at + 11), 4);
    this.#aad.set(buffer.subarray(at + 3, at + 11));
    this.#aad.set(buffer.subarray(at, at + 3), 8);
    this.#aad[11] = length >>> 8;
    this.#aad[12] = length;
  }
}

/** The fixed part in front, room for the explicit part behind (RFC 5288 3). */
function nonceOf(salt: Uint8Array): Uint8Array {
  const nonce = new Uint8Array(12);
  nonce.set(salt.subarray(0, 4));
  return nonce;
}
