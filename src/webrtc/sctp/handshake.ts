/**
 * What is said in the handshake, and what it means beside an association that may exist already
 * (RFC 9260 5.1, 5.2). No state but the secret of the cookies; association.ts acts on the answers.
 */
import { type CookieContent, CookieJar, type PeerParameters, staleness } from "./cookie.ts";
import { FIRST_WINDOW_BYTES, MAX_STREAMS, MIN_PEER_WINDOW_BYTES } from "./limits.ts";
import {
  type Chunk,
  CHUNK_HEADER_BYTES,
  COOKIE_ECHO,
  INIT,
  INIT_ACK,
  makeChunk,
} from "./packet/chunk.ts";
import {
  INVALID_PARAMETER,
  makeAbort,
  makeError,
  MISSING_PARAMETER,
  missingCookieValue,
  staleCookieCause,
  UNRECOGNIZED_PARAMETERS,
  UNRESOLVABLE_ADDRESS,
  USER_INITIATED,
} from "./packet/error_chunk.ts";
import { makeInitBody, readInit, type ReceivedInit } from "./packet/init_chunk.ts";
import { makeParameters } from "./packet/parameters.ts";

/** Tags of an association that exists. */
export interface Tags {
  readonly local: number;
  readonly peer: number;
}

/** A chunk and the tag of the packet that carries it alone. */
export interface Reply {
  readonly chunk: Uint8Array;
  readonly tag: number;
}

/** What an INIT ACK leads to. */
export type InitAckMeaning =
  | { readonly type: "echo"; readonly echo: readonly Uint8Array[]; readonly peer: PeerParameters }
  | { readonly type: "refuse"; readonly reply: Reply | undefined };

/**
 * What a COOKIE ECHO asks for, by the table of 5.2.4: "restart" is its row A, "establish" B or a
 * first one, "repeat" D, "discard" C and all others.
 */
export type CookieMeaning =
  | { readonly type: "establish"; readonly peer: PeerParameters; readonly roundTrip: number }
  | { readonly type: "stale" | "restart"; readonly reply: Reply }
  | { readonly type: "repeat" | "discard" };

export class Handshake {
  readonly localTag: number;
  readonly localTsn: number;
  readonly #random: () => number;
  readonly #receiveWindow: number;
  readonly #jar: CookieJar;

  constructor(options: { readonly random: () => number; readonly receiveWindow: number }) {
    this.#random = options.random;
    this.#receiveWindow = options.receiveWindow;
    this.#jar = new CookieJar(options.random);
    this.localTag = this.#newTag();
    this.localTsn = options.random() >>> 0;
  }

  makeInit(): Uint8Array {
    return makeChunk(INIT, 0, makeInitBody(this.#content(this.localTag)));
  }

  /**
   * Answers an INIT and remembers nothing (5.1 B): with our own tag while there is no association
   * (5.2.1), with a new one beside `existing` (5.2.2).
   */
  answerInit(
    packet: Uint8Array,
    chunk: Chunk,
    { now, existing }: { readonly now: number; readonly existing: Tags | undefined },
  ): Reply | undefined {
    const init = readInit(packet, chunk);
    if (init === undefined || init.tag === 0) return undefined; // 3.3.2: discard
    const refusal = refuseInit(init, false);
    if (refusal !== undefined) return { chunk: refusal, tag: init.tag };
    const localTag = existing === undefined ? this.localTag : this.#newTag();
    const cookie = this.#jar.bake({
      createdAt: now,
      localTag,
      peer: peerParameters(init),
      tieLocalTag: existing?.local ?? 0,
      tiePeerTag: existing?.peer ?? 0,
    });
    const body = makeInitBody(this.#content(localTag), {
      cookie,
      unrecognized: init.unrecognized,
    });
    return { chunk: makeChunk(INIT_ACK, 0, body), tag: init.tag };
  }

  /** Reads an INIT ACK (5.1 C); undefined for one that is no INIT ACK at all. */
  readInitAck(packet: Uint8Array, chunk: Chunk): InitAckMeaning | undefined {
    const init = readInit(packet, chunk);
    if (init === undefined) return undefined;
    const refusal = refuseInit(init, true);
    if (refusal !== undefined) {
      const reply = init.tag === 0 ? undefined : { chunk: refusal, tag: init.tag };
      return { type: "refuse", reply };
    }
    const echo = [makeChunk(COOKIE_ECHO, 0, init.cookie!)]; // refuseInit saw to it
    if (init.unrecognized.length > 0) {
      const value = makeParameters(init.unrecognized);
      echo.push(makeError([{ type: UNRECOGNIZED_PARAMETERS, value }]));
    }
    return { type: "echo", echo, peer: peerParameters(init) };
  }

  /** Reads a COOKIE ECHO that came in a packet with this tag (5.1.5, 5.2.4). */
  readCookie(
    packet: Uint8Array,
    { at, end }: Chunk,
    beside: { readonly now: number; readonly tag: number; readonly existing: Tags | undefined },
  ): CookieMeaning {
    const cookie = this.#jar.open(packet.subarray(at + CHUNK_HEADER_BYTES, end));
    if (cookie === undefined || cookie.localTag !== beside.tag) return { type: "discard" };
    const type = this.#judge(cookie, beside.existing);
    if (type === "discard" || type === "repeat") return { type };
    const late = staleness(cookie, beside.now);
    if (late > 0) {
      const chunk = makeError([staleCookieCause(late)]);
      return { type: "stale", reply: { chunk, tag: cookie.peer.tag } };
    }
    if (type === "restart") { // the old end is gone; the new one takes its own tag alone (8.5)
      return { type, reply: { chunk: makeAbort(USER_INITIATED), tag: cookie.peer.tag } };
    }
    return { type, peer: cookie.peer, roundTrip: beside.now - cookie.createdAt };
  }

  /** A cookie of a collision that comes after data may have come is too late, too. */
  #judge(
    cookie: CookieContent,
    existing: Tags | undefined,
  ): "establish" | "repeat" | "restart" | "discard" {
    const isOurs = cookie.localTag === this.localTag;
    if (existing === undefined) return isOurs ? "establish" : "discard";
    const isPeers = cookie.peer.tag === existing.peer;
    if (isOurs) return isPeers ? "repeat" : "discard";
    const isTied = cookie.tieLocalTag === existing.local && cookie.tiePeerTag === existing.peer;
    return isTied && !isPeers ? "restart" : "discard";
  }

  #content(tag: number) {
    return {
      tag,
      window: Math.min(this.#receiveWindow, FIRST_WINDOW_BYTES),
      outboundStreams: MAX_STREAMS,
      inboundStreams: MAX_STREAMS,
      initialTsn: this.localTsn,
    };
  }

  #newTag(): number {
    return (this.#random() >>> 0) || 1;
  }
}

/** The ABORT for an INIT or INIT ACK that cannot lead anywhere; undefined for a good one. */
function refuseInit(init: ReceivedInit, needsCookie: boolean): Uint8Array | undefined {
  if (init.hasHostName) return makeAbort(UNRESOLVABLE_ADDRESS); // 5.1.2
  const isBroken = init.tag === 0 || init.outboundStreams === 0 || init.inboundStreams === 0 ||
    init.window < MIN_PEER_WINDOW_BYTES; // 3.3.2
  if (isBroken) return makeAbort(INVALID_PARAMETER);
  if (needsCookie && init.cookie === undefined) {
    return makeAbort(MISSING_PARAMETER, 0, missingCookieValue());
  }
  return undefined;
}

function peerParameters(init: ReceivedInit): PeerParameters {
  const { tag, window, outboundStreams, inboundStreams, initialTsn } = init;
  return { tag, window, outboundStreams, inboundStreams, initialTsn };
}
