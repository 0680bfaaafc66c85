/**
 * One admitted offer, from its answer to its end: what the agent holds while it sets up and runs the session. It decides
 * nothing itself; `confirmed` and `release` go back to `Admissions`.
 */
import { type Bytes, toHex } from "../lib/bytes.ts";
import type { TransportFields } from "../protocol/sdp.ts";
import type { IceServerEntry } from "../protocol/signal.ts";
import type { Confirmation, DeviceHandshake } from "../trust/handshake.ts";
import { MAX_TRICKLED_CANDIDATES } from "../trust/trickle.ts";
import type { Admission, OfferLink } from "./admission_types.ts";

/** Sealed candidates that are tried at all: strangers can send junk, and trying costs. */
const MAX_TRIED = 2 * MAX_TRICKLED_CANDIDATES;

/** What `Admissions` does for a session. */
export interface SessionOwner {
  confirmed(session: AdmittedSession): void;
  released(session: AdmittedSession): void;
}

export class AdmittedSession implements Admission {
  readonly sessionId: string;
  readonly holder: string;
  readonly holderId: Bytes;
  readonly handshake: DeviceHandshake;
  readonly #link: OfferLink;
  readonly #owner: SessionOwner;
  /** Candidates that came before anybody listened: bounded by `MAX_TRICKLED_CANDIDATES`. */
  readonly #waiting: string[] = [];
  #listener: ((candidate: string) => void) | undefined;
  #tried = 0;
  #sent = 0;

  constructor(
    handshake: DeviceHandshake,
    given: { readonly holder: Bytes; readonly link: OfferLink; readonly owner: SessionOwner },
  ) {
    this.handshake = handshake;
    this.sessionId = toHex(handshake.sessionId);
    this.holderId = given.holder;
    this.holder = toHex(given.holder);
    this.#link = given.link;
    this.#owner = given.owner;
  }

  get remote(): TransportFields {
    return this.handshake.remote;
  }

  get remoteCandidates(): readonly string[] {
    return this.handshake.candidates;
  }

  get iceServers(): readonly IceServerEntry[] {
    return this.#link.iceServers;
  }

  get confirmation(): Confirmation {
    return this.handshake.confirmation();
  }

  async answer(local: TransportFields): Promise<void> {
    this.#link.reply(await this.handshake.answer(local));
  }

  /** Leaves out what is beyond the 64 that a browser takes: the best ones come first. */
  async sendCandidate(candidate: string): Promise<void> {
    if (this.#sent++ >= MAX_TRICKLED_CANDIDATES) return;
    this.#link.reply(await this.handshake.sealCandidate(candidate));
  }

  onCandidate(listener: (candidate: string) => void): void {
    this.#listener = listener;
    for (const candidate of this.#waiting.splice(0)) listener(candidate);
  }

  // deno-lint-ignore require-await -- the agent's type promises: a store may become asynchronous
  async confirmed(): Promise<void> {
    this.#owner.confirmed(this);
  }

  release(): void {
    this.#listener = undefined;
    this.#owner.released(this);
  }

  /** Takes a sealed candidate. What is none of this browser's, in its turn, is dropped: anyone may have sent it. */
  async takeCandidate(sealed: Bytes): Promise<void> {
    if (this.#tried++ >= MAX_TRIED) return;
    let candidate: string;
    try {
      candidate = await this.handshake.openCandidate(sealed);
    } catch {
      return; // not the browser's, or not its turn: see above
    }
    if (this.#listener) this.#listener(candidate);
    else this.#waiting.push(candidate);
  }
}
