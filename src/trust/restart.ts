/**
 * M5: new ICE credentials and candidates for a session that lives, so that it finds another path (RFC 8445 9) while DTLS
 * and all above it go on. They travel through the rendezvous, since the path is what was lost, perhaps through other
 * sockets and another run of the rendezvous than M1: so each message names its session and its number.
 *
 *     byte   0       1 .. 16     17 .. 20    21 ..
 *            type    session     counter     sealed, padded CBOR        aad = bytes 0 to 20
 *
 * Some may get lost; whatever came once, or is older than what came, is refused.
 */
import { type Bytes, concat, toHex } from "../lib/bytes.ts";
import { HandshakeError, refuseAs } from "./handshake_error.ts";
import { MESSAGE, SESSION_ID_BYTES } from "./message.ts";
import { pad, unpad } from "./padding.ts";
import { openWith, sealWith, TAG_BYTES } from "./seal.ts";
import { Serial } from "./serial.ts";
import {
  CborError,
  type CborMap,
  type CborValue,
  decodeCbor,
  encodeCbor,
  readMap,
} from "./strict_cbor.ts";
import {
  checkCandidate,
  checkCredentials,
  type IceCredentials,
  MAX_CANDIDATE_BYTES,
} from "./transport_fields.ts";

/** What one end tells the other. `generation` counts the browser's restarts from 1; the device answers with its number. */
export type RestartMessage =
  | ({ readonly kind: "credentials"; readonly generation: number } & IceCredentials)
  | { readonly kind: "candidate"; readonly generation: number; readonly candidate: string };

/** Sizes of the padded text: candidates and browsers' own credentials fit the first. */
const TEXT_SIZES = [320, 640];
const COUNTER_AT = 1 + SESSION_ID_BYTES;
const HEADER_BYTES = COUNTER_AT + 4;
const WIRE_SIZES = TEXT_SIZES.map((size) => HEADER_BYTES + size + TAG_BYTES);
const MAX_UINT32 = 0xffffffff;
const MAX_CREDENTIAL_CHARS = 256; // RFC 8839 5.4

const KEY = { generation: 0, ufrag: 1, pwd: 2, candidate: 3 };
const LAYOUT = { required: [KEY.generation], optional: [KEY.ufrag, KEY.pwd, KEY.candidate] };

/** Restarts of one session, in both directions, as one end sees them. */
export class RestartChannel {
  readonly #session: Bytes;
  readonly #keys: { readonly send: CryptoKey; readonly receive: CryptoKey };
  readonly #sealing = new Serial();
  readonly #opening = new Serial();
  #sent = 0;
  /** The number of the newest message that was opened. */
  #received = 0;

  constructor(session: Bytes, keys: { readonly send: CryptoKey; readonly receive: CryptoKey }) {
    this.#session = session;
    this.#keys = keys;
  }

  /**
   * Results come in the order of the calls. Rejects with a CborError for fields outside the grammar of RFC 8839, with a
   * RangeError for credentials that do not fit.
   */
  seal(message: RestartMessage): Promise<Bytes> {
    return this.#sealing.run(() => this.#seal(message));
  }

  async #seal(message: RestartMessage): Promise<Bytes> {
    const text = pad(encodeCbor(toMap(message)), TEXT_SIZES);
    if (this.#sent === MAX_UINT32) throw new RangeError("Cannot restart: too many messages");
    const counter = ++this.#sent;
    const additional = header(this.#session, counter);
    return concat(additional, await sealWith(this.#keys.send, { counter, additional, text }));
  }

  /** Opens a message that is newer than all before; rejects with a HandshakeError for anything else, which changes nothing. */
  open(wire: Bytes): Promise<RestartMessage> {
    return this.#opening.run(() => this.#open(wire));
  }

  async #open(wire: Bytes): Promise<RestartMessage> {
    const session = restartSession(wire);
    if (session === undefined || session !== toHex(this.#session)) {
      throw new HandshakeError("malformed", "Cannot accept restart: foreign size, type or session");
    }
    const counter = counterOf(wire);
    if (counter <= this.#received) {
      throw new HandshakeError("malformed", "Cannot accept restart: it came before");
    }
    const additional = wire.slice(0, HEADER_BYTES);
    const sealed = wire.slice(HEADER_BYTES);
    const text = await refuseAs(
      "bad_signature",
      "restart",
      () => openWith(this.#keys.receive, { counter, additional, sealed }),
    );
    this.#received = counter;
    return await refuseAs("malformed", "restart", () => {
      const bytes = unpad(text, TEXT_SIZES);
      return fromMap(decodeCbor(bytes, bytes.length));
    });
  }
}

/** The session that an M5 names, in hexadecimal digits; undefined for what cannot be one. Anybody may have written it. */
export function restartSession(wire: Bytes): string | undefined {
  if (wire[0] !== MESSAGE.restart || !WIRE_SIZES.includes(wire.length)) return undefined;
  return toHex(wire.slice(1, COUNTER_AT));
}

function header(session: Bytes, counter: number): Bytes {
  const bytes = concat(new Uint8Array([MESSAGE.restart]), session, new Uint8Array(4));
  new DataView(bytes.buffer).setUint32(COUNTER_AT, counter);
  return bytes;
}

function counterOf(wire: Bytes): number {
  return new DataView(wire.buffer, wire.byteOffset).getUint32(COUNTER_AT);
}

function toMap(message: RestartMessage): CborMap {
  const map = new Map<number, CborValue>([[KEY.generation, message.generation]]);
  if (message.kind === "candidate") map.set(KEY.candidate, checkCandidate(message.candidate));
  else {
    const { ufrag, pwd } = checkCredentials(message);
    map.set(KEY.ufrag, ufrag).set(KEY.pwd, pwd);
  }
  return map;
}

function fromMap(value: CborValue): RestartMessage {
  const map = readMap(value, LAYOUT);
  const generation = map.uint(KEY.generation, MAX_UINT32);
  const isCandidate = map.has(KEY.candidate);
  if (generation === 0 || isCandidate === map.has(KEY.ufrag) || isCandidate === map.has(KEY.pwd)) {
    throw new CborError("Cannot read restart: neither credentials nor a candidate");
  }
  if (isCandidate) {
    const candidate = checkCandidate(map.text(KEY.candidate, MAX_CANDIDATE_BYTES));
    return { kind: "candidate", generation, candidate };
  }
  const credentials = checkCredentials({
    ufrag: map.text(KEY.ufrag, MAX_CREDENTIAL_CHARS),
    pwd: map.text(KEY.pwd, MAX_CREDENTIAL_CHARS),
  });
  return { kind: "credentials", generation, ...credentials };
}
