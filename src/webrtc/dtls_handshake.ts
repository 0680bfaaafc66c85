/**
 * The handshake messages that may reach werift: whole, in order, each once, in the one order that a
 * full handshake has (RFC 5246 7.3, RFC 6347 4.2). werift takes any message at any time, so that
 * someone between browser and device could let the browser prove itself and then add a key exchange
 * of its own. Pure; memory is bounded.
 */
import { Buffer } from "node:buffer";

const HEADER_BYTES = 12; // RFC 6347 4.2.2

/** Handshake types of RFC 5246 7.4 and RFC 6347 4.3.2. */
export const HANDSHAKE = {
  CLIENT_HELLO: 1,
  SERVER_HELLO: 2,
  HELLO_VERIFY_REQUEST: 3,
  CERTIFICATE: 11,
  SERVER_KEY_EXCHANGE: 12,
  CERTIFICATE_REQUEST: 13,
  SERVER_HELLO_DONE: 14,
  CERTIFICATE_VERIFY: 15,
  CLIENT_KEY_EXCHANGE: 16,
  FINISHED: 20,
} as const;

export type DtlsRole = "server" | "client";

/**
 * What the other end may say, from first to last, by our role. As a server we ask for no cookie:
 * ICE has shown that the address answers (RFC 6347 4.2.1).
 */
const ORDERS: Readonly<Record<DtlsRole, readonly (readonly number[])[]>> = {
  server: [[1, 11, 16, 15, 20]],
  client: [
    [3, 2, 11, 12, 13, 14, 20],
    [3, 2, 11, 12, 14, 20],
    [2, 11, 12, 13, 14, 20],
    [2, 11, 12, 14, 20],
  ],
};

/** Bytes of a message: a certificate with a long chain has some 5000. */
const MAX_MESSAGE_BYTES = 16_384;
/** Messages that may come before their turn: a flight has six. */
const MAX_AHEAD = 8;

/** A whole message, in the shape of werift's (dtls/src/record/message/fragment.ts). */
export class HandshakeMessage {
  readonly fragment_offset = 0;
  readonly msg_type: number;
  readonly message_seq: number;
  readonly fragment: Buffer;

  constructor(type: number, { sequence, body }: { sequence: number; body: Uint8Array }) {
    this.msg_type = type;
    this.message_seq = sequence;
    this.fragment = Buffer.from(body);
  }

  get length(): number {
    return this.fragment.length;
  }

  get fragment_length(): number {
    return this.fragment.length;
  }

  get summary(): string {
    return `handshake ${this.msg_type}`;
  }

  /** As the transcript has it: as if it had come in one piece (RFC 6347 4.2.6). */
  serialize(): Buffer {
    const { length } = this;
    const header = Buffer.alloc(HEADER_BYTES);
    header[0] = this.msg_type;
    header.writeUIntBE(length, 1, 3);
    header.writeUInt16BE(this.message_seq, 4);
    header.writeUIntBE(length, 9, 3);
    return Buffer.concat([header, this.fragment]);
  }
}

/** A message of which parts are here. */
interface Partial {
  readonly type: number;
  readonly body: Uint8Array;
  /** One for each byte that is here. */
  readonly here: Uint8Array;
  missing: number;
}

interface Fragment {
  readonly type: number;
  readonly length: number;
  readonly sequence: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Puts the messages of one handshake together. */
export class HandshakeReader {
  readonly #role: DtlsRole;
  readonly #taken: HandshakeMessage[] = [];
  readonly #partial = new Map<number, Partial>();
  /** Fragments that no handshake has at their place. */
  refused = 0;

  constructor(role: DtlsRole) {
    this.#role = role;
  }

  /** Messages that were given out, in order. */
  get taken(): readonly HandshakeMessage[] {
    return this.#taken;
  }

  /**
   * Takes the content of a handshake record. Gives the messages that are whole now, in order; and
   * the newest one again when the other end repeats its last flight, since ours was lost.
   */
  take(content: Uint8Array, epoch: number): HandshakeMessage[] {
    const ready: HandshakeMessage[] = [];
    for (const fragment of fragments(content)) {
      if (this.#isRepeated(fragment)) {
        const newest = this.#taken.at(-1)!;
        if (newest.msg_type === HANDSHAKE.CLIENT_HELLO && !ready.includes(newest)) {
          ready.push(newest);
        }
      } else if (!this.#place(fragment, epoch)) this.refused++;
    }
    for (let next = this.#whole(); next !== undefined; next = this.#whole()) ready.push(next);
    return ready;
  }

  /** Whether it is the beginning of the newest message once more, byte by byte. */
  #isRepeated({ sequence, type, offset, length, bytes }: Fragment): boolean {
    const newest = this.#taken.at(-1);
    if (newest === undefined || sequence !== newest.message_seq || offset !== 0) return false;
    const beginning = newest.fragment.subarray(0, bytes.length);
    return type === newest.msg_type && length === newest.length &&
      Buffer.compare(beginning, bytes) === 0;
  }

  #place({ type, length, sequence, offset, bytes }: Fragment, epoch: number): boolean {
    const ahead = sequence - this.#taken.length;
    if (ahead < 0 || ahead >= MAX_AHEAD || length > MAX_MESSAGE_BYTES) return false;
    // RFC 5246 7.4.9: Finished is the first and only message under the new keys.
    if ((type === HANDSHAKE.FINISHED) !== (epoch === 1)) return false;
    if (ahead === 0 && !this.#mayFollow(type)) return false;
    const partial = this.#partial.get(sequence) ?? newPartial(type, length);
    if (partial.type !== type || partial.body.length !== length) return false;
    this.#partial.set(sequence, partial);
    partial.body.set(bytes, offset);
    for (let at = offset; at < offset + bytes.length; at++) {
      if (partial.here[at] === 0) partial.missing--;
      partial.here[at] = 1;
    }
    return true;
  }

  /** Takes the next message in turn if all of it is here. */
  #whole(): HandshakeMessage | undefined {
    const sequence = this.#taken.length;
    const partial = this.#partial.get(sequence);
    if (partial === undefined) return undefined;
    if (!this.#mayFollow(partial.type)) {
      this.#partial.delete(sequence); // it came before its turn, and has none
      this.refused++;
      return undefined;
    }
    if (partial.missing > 0) return undefined;
    this.#partial.delete(sequence);
    const message = new HandshakeMessage(partial.type, { sequence, body: partial.body });
    this.#taken.push(message);
    return message;
  }

  #mayFollow(type: number): boolean {
    const path = [...this.#taken.map(({ msg_type }) => msg_type), type];
    return ORDERS[this.#role].some((order) => path.every((step, index) => order[index] === step));
  }
}

function newPartial(type: number, length: number): Partial {
  return { type, body: new Uint8Array(length), here: new Uint8Array(length), missing: length };
}

/** Cuts the content of a record into fragments; the rest behind a malformed one is dropped. */
function fragments(content: Uint8Array): Fragment[] {
  const found: Fragment[] = [];
  const view = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  for (let at = 0; at + HEADER_BYTES <= view.length;) {
    const length = view.readUIntBE(at + 1, 3);
    const offset = view.readUIntBE(at + 6, 3);
    const start = at + HEADER_BYTES;
    const end = start + view.readUIntBE(at + 9, 3);
    if (end > view.length || offset + (end - start) > length) break;
    const sequence = view.readUInt16BE(at + 4);
    found.push({
      type: view[at]!,
      length,
      sequence,
      offset,
      bytes: content.subarray(start, end),
    });
    at = end;
  }
  return found;
}
