/**
 * Which device has which connection. One registration per device: a second one is a copied key, or the device itself
 * coming back before its old connection was seen to be dead. The older one decides by answering a ping or not; a
 * living one is never replaced in silence (security.md 1.4).
 */
import type { Log } from "../lib/log.ts";

/** A registered connection. */
export interface Holder {
  /** Whether it answers within `limitMs`. Ends the connection if it does not. */
  alive(limitMs: number): Promise<boolean>;
}

export class Registry {
  readonly #holders = new Map<string, Holder>();
  readonly #log: Log;
  readonly #pingMs: number;

  constructor(log: Log, pingMs: number) {
    this.#log = log;
    this.#pingMs = pingMs;
  }

  /** Whether `holder` now stands for `device`. */
  async claim(device: string, holder: Holder): Promise<boolean> {
    const older = this.#holders.get(device);
    if (older !== undefined && await older.alive(this.#pingMs)) {
      this.#log.warn("device.possible_clone", { device });
      return false;
    }
    const present = this.#holders.get(device);
    if (present !== undefined && present !== older) return false; // another newcomer was faster
    this.#holders.set(device, holder);
    return true;
  }

  release(device: string, holder: Holder): void {
    if (this.#holders.get(device) === holder) this.#holders.delete(device);
  }

  get size(): number {
    return this.#holders.size;
  }
}
