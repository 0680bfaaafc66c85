/**
 * The state cookie (RFC 9260 5.1.3): what an INIT said, kept by the peer and not by us, so that an
 * INIT costs no memory. Nobody but us can make one, and it is good for a while only.
 */
import { createHmac } from "node:crypto";
import { equalBytes } from "../../lib/bytes.ts";
import { readU16, readU32, writeU16, writeU32 } from "./packet/words.ts";

/** RFC 9260 16 (Valid.Cookie.Life). */
const LIFE_MS = 60_000;
const CONTENT_BYTES = 36;
const MAC_BYTES = 32;
const SECRET_WORDS = 8;

/** What a peer said of itself in INIT or INIT ACK. */
export interface PeerParameters {
  readonly tag: number;
  readonly window: number;
  readonly outboundStreams: number;
  readonly inboundStreams: number;
  readonly initialTsn: number;
}

export interface CookieContent {
  /** Time of the INIT, in ms of the association's clock. */
  readonly createdAt: number;
  /** Tag that our INIT ACK named. */
  readonly localTag: number;
  readonly peer: PeerParameters;
  /** Tags of the association that existed at that time; 0 for none (5.2.2). */
  readonly tieLocalTag: number;
  readonly tiePeerTag: number;
}

export class CookieJar {
  readonly #secret: Uint8Array;

  /** `random` gives unguessable numbers of 32 bits. */
  constructor(random: () => number) {
    this.#secret = new Uint8Array(SECRET_WORDS * 4);
    for (let i = 0; i < SECRET_WORDS; i++) writeU32(this.#secret, i * 4, random());
  }

  bake(content: CookieContent): Uint8Array {
    const cookie = new Uint8Array(CONTENT_BYTES + MAC_BYTES);
    const { peer } = content;
    new DataView(cookie.buffer).setFloat64(0, content.createdAt);
    writeU32(cookie, 8, content.localTag);
    writeU32(cookie, 12, peer.tag);
    writeU32(cookie, 16, peer.window);
    writeU32(cookie, 20, peer.initialTsn);
    writeU16(cookie, 24, peer.outboundStreams);
    writeU16(cookie, 26, peer.inboundStreams);
    writeU32(cookie, 28, content.tieLocalTag);
    writeU32(cookie, 32, content.tiePeerTag);
    cookie.set(this.#mac(cookie.subarray(0, CONTENT_BYTES)), CONTENT_BYTES);
    return cookie;
  }

  /** Reads a cookie of ours; undefined for any other. */
  open(cookie: Uint8Array): CookieContent | undefined {
    if (cookie.length !== CONTENT_BYTES + MAC_BYTES) return undefined;
    const content = cookie.subarray(0, CONTENT_BYTES);
    if (!equalBytes(this.#mac(content), cookie.subarray(CONTENT_BYTES))) return undefined;
    return {
      createdAt: new DataView(cookie.buffer, cookie.byteOffset).getFloat64(0),
      localTag: readU32(cookie, 8),
      peer: {
        tag: readU32(cookie, 12),
        window: readU32(cookie, 16),
        initialTsn: readU32(cookie, 20),
        outboundStreams: readU16(cookie, 24),
        inboundStreams: readU16(cookie, 26),
      },
      tieLocalTag: readU32(cookie, 28),
      tiePeerTag: readU32(cookie, 32),
    };
  }

  #mac(content: Uint8Array): Uint8Array {
    return new Uint8Array(createHmac("sha256", this.#secret).update(content).digest());
  }
}

/** By how many ms a cookie is too old; 0 or less while it is good. */
export function staleness({ createdAt }: CookieContent, now: number): number {
  return now - createdAt - LIFE_MS;
}
