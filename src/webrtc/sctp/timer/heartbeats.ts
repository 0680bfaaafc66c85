/**
 * HEARTBEATs for two ends: to see that an idle peer is there (RFC 9260 8.3), and to find out which
 * packet size the path carries (RFC 8899 6.2). A probe is a HEARTBEAT padded by its own information
 * field and not by a PAD chunk, which not every peer skips; its answer then has the size too, which
 * proves more than asked.
 */
import { HEARTBEAT, makeChunk } from "../packet/chunk.ts";
import { COMMON_HEADER_BYTES } from "../packet/common_header.ts";
import { readParameters } from "../packet/parameters.ts";
import { makeParameters } from "../packet/parameters.ts";
import { readU32, writeU32 } from "../packet/words.ts";
import { Retry } from "./retry.ts";

/** RFC 9260 16 (HB.interval). */
const IDLE_MS = 30_000;
/** Idle heartbeats without an answer after which the peer is gone. */
const MAX_UNANSWERED = 5;
/** Every path of IPv6 carries 1280: less 40 (IPv6), 8 (UDP), 37 (DTLS), 4 (TURN), in fours. */
export const BASE_PACKET_BYTES = 1188;
/**
 * Sizes to try, largest first. 1400 + 37 (DTLS) + 48 (UDP, IPv6) + 4 (TURN) is 1489: it fits PPPoE's
 * 1492. 1300 fits most tunnels.
 */
const PROBE_SIZES: readonly number[] = [1400, 1300];
/** RFC 8899 5.1.2 (MAX_PROBES). */
const PROBES = 3;
/** Probes are neither hurried nor slow: the wait for one, in ms, at least. */
const PROBE_WAIT_MS = 500;
/** RFC 8899 5.1.1 (PMTU_RAISE_TIMER): when to try again after none went through. */
const RAISE_MS = 600_000;

const INFO = 1; // 3.3.5
const NONCE_BYTES = 8;

interface Awaited {
  readonly nonce: Uint8Array;
  readonly retry: Retry;
  readonly sentAt: number;
}

export class Heartbeats {
  #packetBytes = BASE_PACKET_BYTES;
  readonly #random: () => number;
  #idleAt: number;
  #beat: Awaited | undefined;
  /** The size being tried, as an index; and when to begin. */
  #trial = 0;
  #trialAt: number;
  #probe: Awaited | undefined;

  constructor(now: number, random: () => number) {
    this.#random = random;
    this.#idleAt = now + IDLE_MS;
    this.#trialAt = now;
  }

  /** Size of packets that the path is known to carry. */
  get packetBytes(): number {
    return this.#packetBytes;
  }

  get deadline(): number {
    const beat = this.#beat?.retry.at ?? this.#idleAt;
    return Math.min(beat, this.#probe?.retry.at ?? this.#trialAt);
  }

  /** Something came from the peer: it is there. */
  noteActivity(now: number): void {
    this.#idleAt = now + IDLE_MS;
    this.#beat = undefined;
  }

  /** The path lets nothing through: maybe it has become smaller (RFC 8899 4.3). */
  distrustSize(now: number): void {
    if (this.#packetBytes === BASE_PACKET_BYTES) return;
    this.#packetBytes = BASE_PACKET_BYTES;
    this.#probe = undefined;
    this.#trial = 0;
    this.#trialAt = now + RAISE_MS;
  }

  /** The path is another one: what it carries is to be found out anew. */
  searchSize(now: number): void {
    this.#packetBytes = BASE_PACKET_BYTES;
    this.#probe = undefined;
    this.#trial = 0;
    this.#trialAt = now;
  }

  /** Chunks to send now; "dead" when the peer does not answer any more. `wait` is the timeout. */
  tick(now: number, wait: number): readonly Uint8Array[] | "dead" {
    const chunks: Uint8Array[] = [];
    if (this.#tickBeat(now, { wait, chunks }) === "give up") return "dead";
    this.#tickProbe(now, { wait: Math.max(wait, PROBE_WAIT_MS), chunks });
    return chunks;
  }

  /** Takes the information of a HEARTBEAT ACK; gives a round trip when it tells one. */
  takeAck(now: number, packet: Uint8Array, range: { at: number; end: number }): number | undefined {
    const [info] = readParameters(packet, range.at, range.end) ?? [];
    if (info === undefined || info.value.length < NONCE_BYTES) return undefined;
    const { value } = info;
    const answered = [this.#probe, this.#beat].find((one) => isNonce(value, one?.nonce));
    if (answered === undefined) return undefined;
    if (answered === this.#probe) this.#confirm();
    else this.noteActivity(now);
    return answered.retry.attempts === 1 ? now - answered.sentAt : undefined; // Karn
  }

  #tickBeat(now: number, out: { wait: number; chunks: Uint8Array[] }): string {
    if (this.#beat === undefined) {
      if (now < this.#idleAt) return "wait";
      const limits = { delay: out.wait, maxDelay: IDLE_MS, attempts: MAX_UNANSWERED };
      this.#beat = { nonce: this.#nonce(), retry: new Retry(now, limits), sentAt: now };
    } else {
      const verdict = this.#beat.retry.tick(now);
      if (verdict !== "again") return verdict;
    }
    out.chunks.push(makeHeartbeat(this.#beat.nonce, NONCE_BYTES));
    return "sent";
  }

  #tickProbe(now: number, out: { wait: number; chunks: Uint8Array[] }): void {
    if (this.#probe === undefined) {
      if (now < this.#trialAt) return;
      const limits = { delay: out.wait, maxDelay: IDLE_MS, attempts: PROBES };
      this.#probe = { nonce: this.#nonce(), retry: new Retry(now, limits), sentAt: now };
    } else {
      const verdict = this.#probe.retry.tick(now);
      if (verdict === "wait") return;
      if (verdict === "give up") return this.#refuse(now);
    }
    const size = PROBE_SIZES[this.#trial]!; // the index stays within
    const infoBytes = size - COMMON_HEADER_BYTES - 8; // chunk and parameter headers
    out.chunks.push(makeHeartbeat(this.#probe.nonce, infoBytes));
  }

  /** The size under trial went through: it is the largest that does. */
  #confirm(): void {
    this.#packetBytes = PROBE_SIZES[this.#trial]!;
    this.#probe = undefined;
    this.#trialAt = Infinity;
  }

  #refuse(now: number): void {
    this.#probe = undefined;
    this.#trial = (this.#trial + 1) % PROBE_SIZES.length;
    this.#trialAt = this.#trial === 0 ? now + RAISE_MS : now;
  }

  /** Unguessable, so that no answer can be made up for a packet that did not arrive. */
  #nonce(): Uint8Array {
    const nonce = new Uint8Array(NONCE_BYTES);
    writeU32(nonce, 0, this.#random());
    writeU32(nonce, 4, this.#random());
    return nonce;
  }
}

function makeHeartbeat(nonce: Uint8Array, infoBytes: number): Uint8Array {
  const value = new Uint8Array(infoBytes);
  value.set(nonce);
  return makeChunk(HEARTBEAT, 0, makeParameters([{ type: INFO, value }]));
}

function isNonce(value: Uint8Array, nonce: Uint8Array | undefined): boolean {
  return nonce !== undefined && readU32(value, 0) === readU32(nonce, 0) &&
    readU32(value, 4) === readU32(nonce, 4);
}
