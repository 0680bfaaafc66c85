/**
 * Changes the device's sealing key each week: whoever steals one reads a week of offers, which hold addresses and key ids
 * (security.md 1.4). The week is counted by uptime, and by the date of the key's file once the time is known.
 */
import type { DeviceClock } from "./clock.ts";
import type { Identity } from "./identity.ts";

export interface KeyRotationOptions {
  readonly identity: Pick<Identity, "rotateSealingKey" | "sealingKeyMadeAt">;
  readonly clock: Pick<DeviceClock, "now" | "knowledge">;
  /** Milliseconds of a clock that only runs forward. */
  monotonic(): number;
  /** What the rendezvous has is out of date. */
  onRotation(): void;
}

export const ROTATE_AFTER_SECONDS = 7 * 24 * 3600;

export class KeyRotation {
  readonly #options: KeyRotationOptions;
  #since: number;

  constructor(options: KeyRotationOptions) {
    this.#options = options;
    this.#since = options.monotonic();
  }

  /** Rotates if it is time. Rejects when the new key cannot be written: the old one stays. */
  async look(): Promise<void> {
    const { identity, monotonic, onRotation } = this.#options;
    if (!await this.#isDue()) return;
    await identity.rotateSealingKey();
    this.#since = monotonic();
    onRotation();
  }

  async #isDue(): Promise<boolean> {
    const { identity, clock, monotonic } = this.#options;
    if (monotonic() - this.#since >= ROTATE_AFTER_SECONDS * 1000) return true;
    if (clock.knowledge() === "unknown") return false;
    return clock.now() - await identity.sealingKeyMadeAt() >= ROTATE_AFTER_SECONDS;
  }
}
