/**
 * Keeps the device at its rendezvous: dials, registers, and dials again after each loss, for as long as the device
 * runs. What browsers send goes to the mail handler unopened; who they are is decided elsewhere.
 *
 *   idle -> connecting -> registered -> waiting -> connecting ...        any state -> stopped
 */
import { setTimeout as delay } from "node:timers/promises";
import { backoffMs } from "../lib/backoff.ts";
import type { Bytes } from "../lib/bytes.ts";
import type { Log } from "../lib/log.ts";
import type { IceServerEntry } from "../protocol/signal.ts";
import { CLIENT_LIMITS, type ClientLimits } from "./rendezvous_limits.ts";
import {
  type Loss,
  type LossReason,
  type MailHandler,
  type RegistrationSigner,
  RendezvousLink,
} from "./rendezvous_link.ts";
import { deviceUrl } from "./rendezvous_url.ts";

export type { LossReason, MailHandler, RegistrationSigner };

export interface RendezvousClientOptions {
  /** `wss://meet.example.org`, as the configuration has it. */
  readonly url: string;
  readonly signer: RegistrationSigner;
  /** A fresh M0, signed: asked for at each registration and by `updatePresence`. */
  readonly presence: () => Promise<Bytes>;
  /** Short tags of the device's people: told after each registration and by `updatePeople`. */
  readonly people: () => Promise<Bytes>;
  readonly mail: MailHandler;
  readonly log: Log;
  /** Told of each change; must not throw. */
  readonly onState?: (state: RendezvousState) => void;
  readonly limits?: Partial<ClientLimits>;
}

export type RendezvousState =
  | { readonly kind: "idle" }
  | { readonly kind: "connecting"; readonly attempt: number }
  | { readonly kind: "registered" }
  | { readonly kind: "waiting"; readonly reason: LossReason; readonly retryMs: number }
  | { readonly kind: "stopped" };

export class RendezvousClient {
  readonly #options: RendezvousClientOptions;
  readonly #limits: ClientLimits;
  readonly #url: string;
  #state: RendezvousState = { kind: "idle" };
  #iceServers: readonly IceServerEntry[] = [];
  #shell: string | undefined;
  #link: RendezvousLink | undefined;
  #pingEveryMs: number;
  /** Until when after a change of the network there is no time to lose; of `performance.now`, as the next. */
  #hurryUntil = -Infinity;
  /** When the last connection that held was lost. */
  #lostAt: number | undefined;
  #pausing: AbortController | undefined;

  /** Throws an Error for a URL that cannot be dialled. */
  constructor(options: RendezvousClientOptions) {
    this.#options = options;
    this.#limits = { ...CLIENT_LIMITS, ...options.limits };
    this.#url = deviceUrl(options.url);
    this.#pingEveryMs = this.#limits.pingMs;
  }

  get state(): RendezvousState {
    return this.#state;
  }

  /** The newest list; empty before the first registration. */
  get iceServers(): readonly IceServerEntry[] {
    return this.#iceServers;
  }

  /** Origin of the shell, as the rendezvous said last; undefined before the first registration. */
  get shell(): string | undefined {
    return this.#shell;
  }

  /** Sends to a browser; false when there is no connection. Throws a RangeError above `MAX_SEALED_BYTES`. */
  send(peer: number, sealed: Bytes): boolean {
    return this.#link?.send(peer, sealed) ?? false;
  }

  /** Call when M0 changed: a new K, a new boot nonce. */
  updatePresence(): void {
    this.#link?.updatePresence();
  }

  /** Call when `people` gives something else. */
  updatePeople(): void {
    this.#link?.updatePeople();
  }

  /**
   * The network changed, or a path to a browser went silent: whatever of ours is dead is to be known soon, and no wait
   * goes on. `addresses` are this machine's, if they changed.
   */
  doubt(addresses?: ReadonlySet<string>): void {
    this.#hurryUntil = performance.now() + this.#limits.hurryMs;
    this.#lostAt = undefined;
    this.#link?.doubt(addresses);
    this.#pausing?.abort();
  }

  get #isHurried(): boolean {
    return performance.now() < this.#hurryUntil;
  }

  /** Runs until `signal` is aborted; never rejects for anything the network does. Call once. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      for (let attempt = 0; !signal.aborted;) {
        const started = performance.now();
        const loss = await this.#connect(signal, attempt);
        if (loss.reason === "stopped") break;
        attempt = performance.now() - started > this.#limits.stableMs ? 0 : attempt + 1;
        await this.#pause(loss, attempt, signal);
      }
    } finally {
      this.#set({ kind: "stopped" });
    }
  }

  async #connect(signal: AbortSignal, attempt: number): Promise<Loss> {
    const { signer, presence, people, mail, log } = this.#options;
    this.#set({ kind: "connecting", attempt });
    const link = this.#link = new RendezvousLink({
      url: this.#url,
      signer,
      presence,
      people,
      mail,
      log,
      limits: this.#isHurried
        ? { ...this.#limits, registerMs: this.#limits.hurryRegisterMs }
        : this.#limits,
      pingEveryMs: this.#pingEveryMs,
      registered: (iceServers, shell) => this.#registered(iceServers, shell),
      newIceServers: (iceServers) => this.#iceServers = iceServers,
    });
    try {
      return await link.run(signal);
    } finally {
      this.#link = undefined;
    }
  }

  #registered(iceServers: readonly IceServerEntry[], shell: string): void {
    this.#iceServers = iceServers;
    this.#shell = shell;
    this.#set({ kind: "registered" });
    const fields = { url: this.#url, pingSeconds: this.#pingEveryMs / 1000 };
    this.#options.log.info("rendezvous.connected", fields);
  }

  async #pause(loss: Loss, attempt: number, signal: AbortSignal): Promise<void> {
    const { reason, detail } = loss;
    if (reason === "silent") {
      this.#pingEveryMs = Math.max(this.#limits.minPingMs, this.#pingEveryMs / 2);
    }
    if (attempt === 0) this.#lostAt = undefined; // it had held: one that only flaps is no return
    const retryMs = backoffMs(attempt - 1, {
      floorMs: this.#limits.retryFloorMs,
      ceilingMs: this.#ceilingMs(this.#lostAt ??= performance.now()),
      random: Math.random(),
    });
    this.#options.log.warn("rendezvous.lost", { url: this.#url, reason, detail, retryMs });
    this.#set({ kind: "waiting", reason, retryMs });
    const pausing = this.#pausing = new AbortController();
    const ends = AbortSignal.any([signal, pausing.signal]);
    await delay(retryMs, undefined, { signal: ends }).catch(() => {}); // aborted: the loop sees it
    pausing.abort();
  }

  /** The longest wait now. */
  #ceilingMs(lostAt: number): number {
    const { retryCeilingMs, eagerMs, eagerCeilingMs, hurryCeilingMs } = this.#limits;
    if (this.#isHurried) return Math.min(hurryCeilingMs, retryCeilingMs);
    const isEager = performance.now() - lostAt < eagerMs;
    return isEager ? Math.min(eagerCeilingMs, retryCeilingMs) : retryCeilingMs;
  }

  #set(state: RendezvousState): void {
    this.#state = state;
    this.#options.onState?.(state);
  }
}
