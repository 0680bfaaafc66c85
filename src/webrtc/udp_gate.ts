/**
 * Decides for one session which datagrams may go further: binding requests only from who knows our
 * password, answers only to what we asked, everything else only from addresses that passed such a
 * check in either direction (RFC 8445 7, werift-audit.md 9.2). The same for a socket of ours and
 * for what a relay brings. Pure but for HMAC: time is an argument.
 */
import {
  type DatagramKind,
  hasIntegrity,
  isBinding,
  kindOf,
  readProof,
  transactionOf,
} from "./stun.ts";

/** Names and password that a check of the other end must know. */
export interface Credentials {
  readonly ufrag: string;
  readonly password: string;
  /** Empty while no description of the other end is known: then nobody passes. */
  readonly remoteUfrag: string;
}

/** What was let in and kept out, in datagrams. */
export interface GateStats {
  passed: number;
  /** Not STUN, DTLS or SRTP, or cut badly. */
  unknown: number;
  /** Requests without the right names and MESSAGE-INTEGRITY. */
  unauthenticated: number;
  /** Answers that nobody waits for. */
  unasked: number;
  /** DTLS, SRTP and channel data from addresses that passed no check. */
  strangers: number;
  /** More requests with the right names than one browser makes. */
  flood: number;
}

/**
 * Addresses that may pass checks in one session. A browser has a few per network that it visits; a
 * hostile one costs werift a candidate and a pair for each.
 */
export const MAX_ADDRESSES = 128;
/** Questions under way: one for each pair, of which there are at most some hundred. */
const MAX_QUESTIONS = 1024;
/**
 * Requests with the right names that are looked at in a second, from all addresses: an HMAC each,
 * some 10 µs. Browsers make 20 a second while they connect.
 */
export const MAX_REQUESTS_PER_SECOND = 200;

/** See the head of this file. */
export class Gate {
  readonly stats: GateStats = {
    passed: 0,
    unknown: 0,
    unauthenticated: 0,
    unasked: 0,
    strangers: 0,
    flood: 0,
  };
  readonly #credentials: () => Credentials;
  /** May refuse an address that belongs to another session. */
  readonly #claim: (address: string, port: number) => boolean;
  readonly #trusted = new Set<string>();
  readonly #questions = new Set<string>();
  #lastAddress = "";
  #lastPort = 0;
  #budget = MAX_REQUESTS_PER_SECOND;
  #budgetAt = -Infinity;

  constructor(
    credentials: () => Credentials,
    claim: (address: string, port: number) => boolean = () => true,
  ) {
    this.#credentials = credentials;
    this.#claim = claim;
  }

  /** Gives the kind of a datagram that may go further, and undefined for one that may not. */
  admit(datagram: Uint8Array, from: Sender): DatagramKind | undefined {
    const kind = kindOf(datagram);
    const refusal = this.#refusal(kind, datagram, from);
    if (refusal === undefined) {
      this.stats.passed++;
      return kind;
    }
    this.stats[refusal]++;
    return undefined;
  }

  #refusal(kind: DatagramKind, datagram: Uint8Array, from: Sender): Refusal | undefined {
    switch (kind) {
      case "dtls":
      case "media":
        return this.trusts(from.address, from.port) ? undefined : "strangers";
      case "request":
        return this.#refuseRequest(datagram, from);
      case "response":
        return this.#questions.has(transactionOf(datagram)) ? undefined : "unasked";
      case "channel":
        return "strangers"; // comes from relays, on sockets of their own
      case "indication":
      case "unknown":
        return "unknown";
    }
  }

  #refuseRequest(message: Uint8Array, { address, port, now }: Sender): Refusal | undefined {
    const { ufrag, password, remoteUfrag } = this.#credentials();
    const proof = isBinding(message) ? readProof(message) : undefined;
    if (proof === undefined || remoteUfrag === "") return "unauthenticated";
    if (proof.username !== `${ufrag}:${remoteUfrag}`) return "unauthenticated";
    if (!this.#hasBudget(now)) return "flood";
    if (!hasIntegrity(message, proof, password)) return "unauthenticated";
    return this.trust(address, port) ? undefined : "strangers";
  }

  /** A bucket of one second's requests, which fills as time passes. */
  #hasBudget(now: number): boolean {
    const earned = (now - this.#budgetAt) / 1000 * MAX_REQUESTS_PER_SECOND;
    this.#budget = Math.min(MAX_REQUESTS_PER_SECOND, this.#budget + earned);
    this.#budgetAt = now;
    if (this.#budget < 1) return false;
    this.#budget--;
    return true;
  }

  /** Whether the address has passed a check. */
  trusts(address: string, port: number): boolean {
    if (address === this.#lastAddress && port === this.#lastPort) return true;
    if (!this.#trusted.has(`${address} ${port}`)) return false;
    this.#lastAddress = address;
    this.#lastPort = port;
    return true;
  }

  /** Says that an address has passed a check; gives false when no more are taken. */
  trust(address: string, port: number): boolean {
    const isKnown = this.trusts(address, port);
    if (!isKnown && this.#trusted.size >= MAX_ADDRESSES) return false;
    if (!this.#claim(address, port)) return false;
    this.#trusted.add(`${address} ${port}`);
    return true;
  }

  /** Notes a question that goes out, so that its answer may come in. Gives false if there are too many. */
  ask(transaction: string): boolean {
    if (this.#questions.size >= MAX_QUESTIONS) return false;
    this.#questions.add(transaction);
    return true;
  }

  /** The question was answered or given up. */
  settle(transaction: string): void {
    this.#questions.delete(transaction);
  }

  /** Whether an answer to this question is waited for. */
  awaits(transaction: string): boolean {
    return this.#questions.has(transaction);
  }
}

/** Where a datagram came from, and when, in ms. */
export interface Sender {
  readonly address: string;
  readonly port: number;
  readonly now: number;
}

type Refusal = Exclude<keyof GateStats, "passed">;
