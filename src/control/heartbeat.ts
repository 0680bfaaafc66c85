/** What control does by itself while the device runs: each second, each minute, and once more at the end. */
import type { Log } from "../lib/log.ts";
import type { Audit } from "./audit.ts";
import type { Grants } from "./grants.ts";
import type { KeyRotation } from "./key_rotation.ts";
import type { LiveSessions } from "./live_sessions.ts";

export interface HeartbeatOptions {
  readonly live: Pick<LiveSessions, "look">;
  readonly grants: Pick<Grants, "keep">;
  readonly audit: Pick<Audit, "flush" | "signBase">;
  readonly rotation: Pick<KeyRotation, "look">;
  readonly log: Log;
}

/** A session that must end does so within two of these. */
const BEAT_MS = 1000;
const BEATS_PER_MINUTE = 60_000 / BEAT_MS;

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #timer: ReturnType<typeof setInterval> | undefined;
  #beats = 0;
  #slow: Promise<void> = Promise.resolve();

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  start(): void {
    this.#slow = this.#minute();
    this.#timer = setInterval(() => this.beat(), BEAT_MS);
  }

  /** One second has passed. Never throws. */
  beat(): void {
    const { live, audit } = this.#options;
    this.#guarded("look", () => live.look());
    audit.flush();
    if (++this.#beats % BEATS_PER_MINUTE === 0) {
      const before = this.#slow;
      this.#slow = before.then(() => this.#minute()); // one at a time
    }
  }

  /** Writes what waits. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#slow;
    this.#guarded("keep", () => this.#options.grants.keep());
    this.#options.audit.flush();
  }

  /** Never rejects. */
  async #minute(): Promise<void> {
    const { grants, audit, rotation } = this.#options;
    this.#guarded("keep", () => grants.keep());
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
