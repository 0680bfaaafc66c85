/**
 * Makes werift's ICE answer at once, look at the best pairs first, and end when told to
 * (werift-audit.md 4, 9.8). Whom it asks is `ice_gather.ts`.
 */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import type { RTCDtlsTransport, RTCPeerConnection } from "werift";
import {
  connectionInternals,
  type IceInternals,
  iceInternals,
  type PairInternals,
} from "./internals.ts";

/** How long `close` waits for what gathers, which was told to stop, in ms. */
const CLOSE_LIMIT_MS = 1200;
/** Time between two checks, in ms (RFC 8445 14.2 asks for 50 with unknown peers; ours is vouched for). */
const CHECK_PACE_MS = 20;
/** How long `close` waits for the loop that makes checks, in ms. */
const CHECK_LOOP_MS = 3 * CHECK_PACE_MS;
/** ice/src/iceBase.ts, ICE_COMPLETED. */
const ICE_COMPLETED = 1;

// RFC 8445 5.3: 24 bits of randomness at least, and 128. werift has 16 and 88.
const UFRAG_BYTES = 6;
const PWD_BYTES = 24;

/** Loopback addresses that this machine has: browser and agent may run on the same one. */
export function loopbackAddresses(): string[] {
  const addresses = Object.values(networkInterfaces()).flat();
  return addresses.filter((info) => info?.internal === true).map((info) => info!.address)
    .filter((address) => address === "127.0.0.1" || address === "::1");
}

/**
 * The candidate if werift may have it: of UDP, with an IP address. An mDNS name would need a
 * resolver, and a host name makes us ask DNS on behalf of a stranger; the browser's own checks show
 * us its address anyway.
 */
export function usableCandidate(candidate: string): boolean {
  const [, , protocol, , address = ""] = candidate.split(" ");
  return protocol?.toLowerCase() === "udp" && isIP(address) !== 0;
}

/** Starts gathering and connecting, each once for a connection, and waits for neither. */
export class IceControl {
  readonly #ice: IceInternals;
  #gathered: Promise<unknown> = Promise.resolve();
  #connected: Promise<void> | undefined;

  constructor(connection: RTCPeerConnection, transport: RTCDtlsTransport) {
    this.#ice = iceInternals(transport);
    prepareIce(this.#ice);
    this.#replaceWaits(connection);
    this.#ice.connect = () => connectPromptly(this.#ice);
  }

  /**
   * `setLocalDescription` awaits all candidates before it connects; and it connects again with each
   * later answer.
   */
  #replaceWaits(connection: RTCPeerConnection): void {
    const internals = connectionInternals(connection);
    const connect = internals.connect.bind(connection);
    internals.gatherCandidates = () => {
      this.#gathered = Promise.all([this.#gathered, internals.secureManager.gatherCandidates()]);
      return Promise.resolve();
    };
    internals.connect = () => this.#connected ??= connect();
  }

  /** Ends the loop that looks for pairs. To be called before werift's own `close`. */
  stop(): void {
    // Gathering that ends after `close` sets the state back, and then only this ends the loop.
    this.#ice.remoteCandidatesEnd = true;
  }

  /**
   * Waits, within limits, for what werift still does after its `close`, and closes what it opened
   * meanwhile.
   */
  async settle(): Promise<void> {
    const late = this.#gathered.then(() => closeSockets(this.#ice));
    await within(late, CLOSE_LIMIT_MS);
    await within(this.#connected?.catch(() => {}) ?? Promise.resolve(), CHECK_LOOP_MS);
  }
}

/** What each of werift's ICE connections gets before it gathers: credentials of our own making, and the right order. */
export function prepareIce(ice: IceInternals): void {
  ice.sortCheckList = () => void ice.checkList.sort(byPriority);
  ice.localUsername = randomBytes(UFRAG_BYTES).toString("base64");
  ice.localPassword = randomBytes(PWD_BYTES).toString("base64");
  ice.userHistory = { [ice.localUsername]: ice.localPassword };
}

/** Closes all local candidates. Never rejects. */
export async function closeSockets(ice: IceInternals): Promise<void> {
  const protocols = ice.protocols.splice(0);
  await Promise.allSettled(protocols.map((protocol) => protocol.close?.()));
}

/**
 * Asks the other end of the chosen pair for a sign of life. From another address than before (a new
 * lease, a NAT that forgot us) it also shows the browser where we are now (RFC 8445 7.3.1.3).
 */
export function probe(ice: IceInternals): void {
  const pair = ice.nominated;
  if (pair === undefined) return;
  const { localUsername, remoteUsername, iceControlling } = ice;
  const { localCandidate, protocol, remoteAddr } = pair;
  const parts = { nominate: false, localUsername, remoteUsername, iceControlling, localCandidate };
  const key = Buffer.from(ice.remotePassword);
  protocol.request(ice.buildRequest(parts), remoteAddr, key, { retransmissions: 0 })
    .catch(() => {}); // silence tells nothing new
}

/**
 * RFC 8445 6.1.2.3, the highest first: 2^32 times the lower of the two priorities, twice the higher.
 * Compared in parts, since JavaScript's numbers end before. werift multiplies by 1 (audit 4).
 */
export function byPriority(a: Pair, b: Pair): number {
  const [one, other] = [a, b].map(({ localCandidate, remoteCandidate }) => {
    const both = [localCandidate.priority, remoteCandidate.priority] as const;
    return { lower: Math.min(...both), higher: Math.max(...both) };
  }) as [Ends, Ends];
  return other.lower - one.lower || other.higher - one.higher;
}

type Pair = Pick<PairInternals, "localCandidate" | "remoteCandidate">;
interface Ends {
  readonly lower: number;
  readonly higher: number;
}

/**
 * werift's `Connection.connect`, but for one thing: it goes on when a pair is chosen, and not at
 * the next turn of a loop that sleeps 20 ms.
 */
export async function connectPromptly(ice: IceInternals): Promise<void> {
  let decided = Promise.withResolvers<void>();
  const { put } = ice.checkListState;
  ice.checkListState.put = (result) => {
    put.call(ice.checkListState, result);
    decided.resolve();
    decided = Promise.withResolvers(); // all pairs may fail, and candidates that come later be better
  };
  for (const candidate of ice.remoteCandidates) ice.pairRemoteCandidate(candidate);
  ice.sortCheckList();
  ice.unfreezeInitial();
  for (const check of ice.earlyChecks) ice.checkIncoming(...check);
  ice.earlyChecks = [];
  ice.earlyChecksDone = true;
  while (ice.state !== "closed" && !ice.checkListDone && ice.schedulingChecks()) {
    await within(decided.promise, CHECK_PACE_MS);
  }
  let result: number | undefined;
  while (result !== ICE_COMPLETED && ice.checkList.length > 0 && ice.state !== "closed") {
    result = await ice.checkListState.get();
  }
  if (result !== ICE_COMPLETED) throw new Error("Cannot connect: no pair of addresses works");
  ice.queryConsent();
  ice.setState("connected");
}

/**
 * Resolves with `work`, or after `limitMs`, or when `signal` is aborted, whichever is first. Leaves
 * no timer behind.
 */
export async function within(
  work: Promise<unknown>,
  limitMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const controller = new AbortController();
  const ends = signal === undefined
    ? controller.signal
    : AbortSignal.any([controller.signal, signal]);
  const limit = delay(limitMs, undefined, { signal: ends }).catch(() => {});
  await Promise.race([work, limit]);
  controller.abort();
  await limit;
}
