/**
 * The session of this tab with one device: connections one after the other, for as long as the tab shows the device.
 * Not the connection itself (`connection.ts`), not what is drawn (`views/`).
 *
 *   idle -> finding -> offering -> connecting -> confirming -> live
 *              |          ^                           |          |
 *              +--> lost -+ (tries again by itself) <-+----------+     any --> closed: only a person can go on
 *
 * `live` outlasts changes of network: for thirty seconds without a path it is `interrupted`, then lost (`recovery.ts`).
 * State changes in `#set` alone. While the page is hidden nothing is retried.
 */
import type { NetworkPath } from "../../src/lib/network_path.ts";
import type { Access } from "../../src/protocol/access.ts";
import type { Named } from "../../src/protocol/control.ts";
import { retryDelay } from "./backoff.ts";
import type { Cameras } from "./cameras.ts";
import type { Content } from "./content.ts";
import {
  Connection,
  type ConnectionEvents,
  type Greeting,
  type Handshake,
  type Link,
} from "./connection.ts";
import type { Leg, Step, Trace } from "./diagnosis.ts";
import { examine } from "./examine.ts";
import { type LostCode, LostError, mayRetry, nextAfter } from "./lost.ts";
import { Observable, type Observed } from "./observable.ts";
import type { OwnerConsole } from "./owner_console.ts";
import type { Tunnel } from "./tunnel.ts";
import type { PageLife } from "./page_life.ts";
import { delay } from "./wait.ts";

/** What the session is doing now. */
export type SessionState =
  | { readonly phase: "idle" | "finding" | "offering" | "connecting" | "confirming" }
  | {
    readonly phase: "live";
    readonly name: string;
    readonly services: readonly Named[];
    readonly cameras: readonly Named[];
    readonly access: Access;
    /** When a guest's access ends, in milliseconds since 1970; undefined for owners. */
    readonly endsAt?: number;
    /** Milliseconds; undefined until the first pong. */
    readonly roundTrip?: number;
    /** Undefined until the browser has said it. */
    readonly path?: NetworkPath;
    /** The path was lost, and another one is looked for; all that was open stays open. */
    readonly interrupted?: boolean;
  }
  /** `retryAt` in milliseconds since 1970; undefined while the device is looked for, or the page is hidden. */
  | { readonly phase: "lost"; readonly code: LostCode; readonly retryAt?: number }
  | { readonly phase: "closed"; readonly code: LostCode };

export type SessionPhase = SessionState["phase"];

/** Where a service is to be shown. */
export interface ServicePlace {
  readonly service: string;
  readonly title: string;
  /** Frames are put in here and never moved: a frame that is moved loads again. */
  readonly container: HTMLElement;
  /** Closes the service. */
  readonly signal: AbortSignal;
}

/** One attempt; `Connection` is the real one. */
export interface Attempt {
  run(signal: AbortSignal): Promise<LostError>;
  fail(error: LostError): void;
  readonly peerConnections: number;
  /** How far it came. */
  readonly reached?: Step;
}

export interface SessionOptions {
  readonly signallingUrl: string;
  /** Text form of the device's id. */
  readonly device: string;
  /** `claim` says whether the pairing link is to be used. */
  startHandshake(presence: Uint8Array<ArrayBuffer>, claim: boolean): Promise<Handshake>;
  /** Whether there is a pairing link to use. */
  readonly hasClaim: boolean;
  readonly cameras: Cameras;
  readonly owner: OwnerConsole;
  readonly page: PageLife;
  createTunnel(ended: (protocol: boolean) => void): Tunnel;
  /** Opens a content origin whose streams go through this session's tunnel. */
  openService(service: ServicePlace, tunnel: Tunnel): Promise<Content>;
  /** The device proved who it is and greeted: for the list of devices. */
  greeted(greeting: Greeting, checkNumber: string): void;
  /** For tests. */
  createAttempt?: (
    destination: ConstructorParameters<typeof Connection>[0],
    events: ConnectionEvents,
  ) => Attempt;
}

export class Session {
  readonly device: string;
  readonly cameras: Cameras;
  /** For owners; it stays empty for guests. */
  readonly owner: OwnerConsole;
  readonly tunnel: Tunnel;
  readonly #options: SessionOptions;
  readonly #state = new Observable<SessionState>({ phase: "idle" });
  readonly #closing = new AbortController();
  #attempt: Attempt | undefined;
  /** Of the attempt that ended last. */
  #trace: Trace = { reached: "nothing" };
  /** `used`: the device says that the claim was used; whether by us, the next attempt shows. */
  #claim: "none" | "fresh" | "used";
  #pausing: AbortController | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.device = options.device;
    this.cameras = options.cameras;
    this.owner = options.owner;
    this.#claim = options.hasClaim ? "fresh" : "none";
    this.tunnel = options.createTunnel((protocol) => this.#channelEnded(protocol));
  }

  get state(): Observed<SessionState> {
    return this.#state;
  }

  get peerConnections(): number {
    return this.#attempt?.peerConnections ?? 0;
  }

  /** Looks at each leg of the connection, by the attempt that runs or was the last. Never rejects. */
  diagnose(): Promise<Leg[]> {
    const reached = this.#attempt?.reached;
    const trace = this.#state.value.phase === "live" && reached !== undefined
      ? { reached }
      : this.#trace;
    const unsupported = [...this.cameras.views.value].flatMap(([camera, view]) =>
      "code" in view && view.code === "unsupported" ? [camera] : []
    );
    return examine(trace, unsupported);
  }

  /** Opens a service of the device; resolves when its pages can be loaded. It outlives reconnects. */
  async openService(place: ServicePlace): Promise<Content> {
    const signal = AbortSignal.any([place.signal, this.#closing.signal]);
    const content = await this.#options.openService({ ...place, signal }, this.tunnel);
    await content.ready;
    return content;
  }

  /** Connects, and reconnects, until `close` or a failure that only a person can mend. Not twice at once. */
  start(): void {
    this.#run().catch((error: unknown) => {
      if (!this.#closing.signal.aborted) this.#set({ phase: "closed", code: "internal" });
      if (!(error instanceof LostError)) throw error; // a defect: let the console show it
    });
  }

  /** Skips the rest of a pause, or begins again after an end that a person may try to undo. */
  retryNow(): void {
    const state = this.#state.value;
    if (state.phase !== "closed" || !mayRetry(state.code)) return this.#pausing?.abort();
    this.#set({ phase: "idle" });
    this.start();
  }

  /** The page goes away: tells the device now, while there is still a moment. A page that comes back reconnects. */
  goodbye(): void {
    this.#attempt?.fail(new LostError("ended", "The page was left"));
  }

  /** Ends the session for good. */
  close(): void {
    this.#closing.abort(new LostError("ended", "This page ended the session"));
    this.tunnel.close();
  }

  /** The bulk channel of an earlier connection may be heard of late: only a live one counts. */
  #channelEnded(protocol: boolean): void {
    if (this.#state.value.phase !== "live") return;
    this.#attempt?.fail(
      protocol
        ? new LostError("protocol", "The device broke the protocol of the bulk channel")
        : new LostError("ended", "The device closed the bulk channel"),
    );
  }

  async #run(): Promise<void> {
    let attempts = 0;
    let before: LostCode | undefined;
    while (!this.#closing.signal.aborted) {
      const { error, wasLive } = await this.#once();
      if (this.#closing.signal.aborted) return;
      attempts = wasLive ? 1 : attempts + 1;
      const next = this.#next(error.code, before);
      before = error.code;
      if (next === "never") return this.#set({ phase: "closed", code: error.code });
      if (next === "later") await this.#pause(error.code, attempts);
    }
  }

  async #once(): Promise<{ error: LostError; wasLive: boolean }> {
    let wasLive = false;
    const create = this.#options.createAttempt ??
      ((destination, events) => new Connection(destination, events));
    const attempt = create(this.#destination(), this.#events(() => wasLive = true));
    this.#attempt = attempt;
    const error = await attempt.run(this.#closing.signal);
    this.#trace = { reached: attempt.reached ?? "nothing", code: error.code };
    this.#attempt = undefined;
    this.cameras.detach();
    this.owner.detach();
    return { error, wasLive };
  }

  /** A claim that was used may have been used by us, in an attempt whose end we did not see: then we are paired. */
  #next(code: LostCode, before: LostCode | undefined): ReturnType<typeof nextAfter> {
    if (code === "claim_used" && this.#claim === "fresh") {
      this.#claim = "used";
      return "at_once";
    }
    return nextAfter(code, before === "stale");
  }

  #destination(): ConstructorParameters<typeof Connection>[0] {
    const { device, signallingUrl, startHandshake } = this.#options;
    return {
      device,
      signallingUrl,
      startHandshake: (presence) => startHandshake(presence, this.#claim === "fresh"),
    };
  }

  #events(wasLive: () => void): ConnectionEvents {
    return {
      phase: (phase) => this.#phase(phase),
      confirmed: (bulk) => this.tunnel.attach(bulk),
      live: (greeting, link) => {
        wasLive();
        this.#live(greeting, link);
      },
      roundTrip: (roundTrip) => {
        const state = this.#state.value;
        if (state.phase === "live") this.#set({ ...state, roundTrip });
      },
      path: (path) => {
        const state = this.#state.value;
        if (state.phase === "live") this.#set({ ...state, path });
      },
      interrupted: (interrupted) => {
        const state = this.#state.value;
        if (state.phase === "live") this.#set({ ...state, interrupted });
      },
      camera: (message) => this.cameras.receive(message),
      owner: (message) => this.owner.receive(message),
    };
  }

  /** A device that stays away is looked for every few seconds: that alone does not change what people read. */
  #phase(phase: Parameters<ConnectionEvents["phase"]>[0]): void {
    const before = this.#state.value;
    if (phase === "finding" && before.phase === "lost") {
      return this.#set({ phase: "lost", code: before.code });
    }
    this.#set({ phase });
  }

  #live(greeting: Greeting, link: Link): void {
    this.#claim = "none";
    const { name, services, cameras, access, audit } = greeting;
    this.#options.greeted(greeting, link.checkNumber);
    this.#set({ phase: "live", name, services, cameras, access, ...ends(access) });
    this.cameras.attach(link, cameras);
    if (access.role === "owner") this.owner.attach(link, audit);
  }

  /** Waits for the next attempt: for a while, or for as long as nobody looks. */
  async #pause(code: LostCode, attempts: number): Promise<void> {
    const { page } = this.#options;
    const pausing = new AbortController();
    this.#pausing = pausing;
    const signal = AbortSignal.any([pausing.signal, this.#closing.signal]);
    if (page.hidden) {
      this.#set({ phase: "lost", code });
      page.whenShown(() => pausing.abort(), signal);
      await aborted(signal);
    } else {
      const pauseMs = retryDelay(attempts, Math.random());
      this.#set({ phase: "lost", code, retryAt: Date.now() + pauseMs });
      page.whenOnline(() => pausing.abort(), signal);
      await delay(pauseMs, signal).catch(() => {}); // hurried or closed: the loop looks
    }
    pausing.abort();
    this.#pausing = undefined;
  }

  #set(state: SessionState): void {
    // The device does not know us: the claim that another browser used is what a person must hear of.
    if (state.phase === "closed" && state.code === "not_paired" && this.#claim === "used") {
      return this.#state.set({ phase: "closed", code: "claim_used" });
    }
    this.#state.set(state);
  }
}

function ends(access: Access): { endsAt?: number } {
  return access.role === "owner" ? {} : { endsAt: Date.now() + access.remainingSeconds * 1000 };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => resolve(), { once: true })
  );
}
