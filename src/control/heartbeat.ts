/** What control does by itself while the device runs: each second, each minute, and once more at the end. */
import type { Log } from "../lib/log.ts";
import type { Audit } from "./audit.ts";
import type { GrantWatch } from "./grant_watch.ts";
import type { Grants } from "./grants.ts";
import type { KeyRotation } from "./key_rotation.ts";
import type { LiveSessions } from "./live_sessions.ts";

export interface HeartbeatOptions {
  readonly live: Pick<LiveSessions, "look">;
  readonly grants: Pick<Grants, "keep">;
  readonly watch: Pick<GrantWatch, "look">;
  readonly audit: Pick<Audit, "flush" | "signBase">;
  readonly rotation: Pick<KeyRotation, "look">;
  readonly log: Log;
  /** How long `stop` waits for what signs and writes keys. */
  readonly stopLimitMs?: number;
}

/** A session that must end does so within two of these. */
const BEAT_MS = 1000;
const BEATS_PER_MINUTE = 60_000 / BEAT_MS;
/** Signing and writing a key take less than a second on a slow board. A device that stops waits no longer for them. */
const STOP_LIMIT_MS = 5000;
/** Minutes in which signing and writing a key may hang; sessions that are not looked at may do so for as many seconds. */
const PATIENCE = 10;

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #timer: ReturnType<typeof setInterval> | undefined;
  #beats = 0;
  /** What signs and writes files. One at a time: where it hangs, nothing else waits for it. */
  #slow: Promise<void> | undefined;
  /** Minutes for which that hangs, and beats in a row in which sessions could not be looked at. */
  #hanging = 0;
  #blind = 0;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  start(): void {
    this.#minute();
    this.#timer = setInterval(() => this.beat(), BEAT_MS);
  }

  /** One second has passed. Never throws. */
  beat(): void {
    const { live, watch, audit } = this.#options;
    this.#blind++;
    this.#guarded("look", () => {
      live.look();
      this.#blind = 0;
    });
    this.#guarded("watch", () => watch.look());
    audit.flush();
    if (++this.#beats % BEATS_PER_MINUTE === 0) this.#minute();
  }

  /** Whether it does its work. Where not, sessions outlive their right: only a restart helps. */
  isBeating(): boolean {
    return this.#timer !== undefined && this.#hanging < PATIENCE && this.#blind < PATIENCE;
  }

  /** Writes what waits. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await within(this.#options.stopLimitMs ?? STOP_LIMIT_MS, this.#slow);
    this.#guarded("keep", () => this.#options.grants.keep());
    this.#options.audit.flush();
  }

  #minute(): void {
    this.#guarded("keep", () => this.#options.grants.keep());
    if (this.#slow) {
      this.#hanging++;
      return this.#failed("sign or rotate", "the last minute's has not ended");
    }
    this.#hanging = 0;
    this.#slow = this.#signAndRotate().finally(() => this.#slow = undefined);
  }

  /** Never rejects. */
  async #signAndRotate(): Promise<void> {
    const { audit, rotation } = this.#options;
    await audit.signBase().catch((error: unknown) => this.#failed("sign", error));
    await rotation.look().catch((error: unknown) => this.#failed("rotate", error));
  }

  #guarded(what: string, step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#failed(what, error);
    }
  }

  #failed(what: string, error: unknown): void {
    this.#options.log.error("control.failed", { what, error: String(error) });
  }
}

/** Waits for the work, but not for longer than this. */
async function within(limitMs: number, work: Promise<void> | undefined): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<void>((resolve) => timer = setTimeout(resolve, limitMs));
  await Promise.race([work, limit]).finally(() => clearTimeout(timer));
}
