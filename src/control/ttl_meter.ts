/**
 * Counts the `ttl` of guests: seconds since they came, by a clock that only runs forward, whatever the wall clock is set
 * to. What has passed is written each minute, so that a restart does not give it back. While the device is without power
 * nothing counts; a pulled plug gives back a minute at most.
 */
import { type Bytes, toHex } from "../lib/bytes.ts";
import type { GuestRecord, Records } from "./records.ts";

export interface TtlMeterOptions {
  readonly records: Pick<Records, "spend">;
  /** Milliseconds of a clock that only runs forward. */
  monotonic(): number;
}

export class TtlMeter {
  readonly #options: TtlMeterOptions;
  readonly #startedAt: number;
  /** Since when what passed is not written, by guest. Bounded by the guests that the store keeps. */
  readonly #since = new Map<string, number>();

  /** Guests who are known already count from now on. */
  constructor(options: TtlMeterOptions) {
    this.#options = options;
    this.#startedAt = options.monotonic();
  }

  /** A guest came for the first time. */
  begin(guest: Pick<GuestRecord, "grant" | "keyId">): void {
    this.#since.set(nameOf(guest), this.#options.monotonic());
  }

  /** Seconds that have passed of a guest's ttl, with what is not written yet. */
  spent(guest: GuestRecord): number {
    return guest.spentSeconds + this.#unwritten(guest);
  }

  /** Writes what has passed for these guests, and forgets all others. */
  keep(guests: readonly GuestRecord[]): void {
    const names = new Set(guests.map(nameOf));
    for (const name of this.#since.keys()) if (!names.has(name)) this.#since.delete(name);
    const spent = guests
      .map((guest) => ({ ...guest, seconds: this.#unwritten(guest) }))
      .filter(({ seconds }) => seconds >= 1);
    this.#options.records.spend(spent); // one flush for all: SD cards wear out
    for (const guest of spent) {
      this.#since.set(nameOf(guest), this.#sinceOf(guest) + guest.seconds * 1000);
    }
  }

  #unwritten(guest: { grant: Bytes; keyId: Bytes }): number {
    return Math.floor((this.#options.monotonic() - this.#sinceOf(guest)) / 1000);
  }

  #sinceOf(guest: { grant: Bytes; keyId: Bytes }): number {
    return this.#since.get(nameOf(guest)) ?? this.#startedAt;
  }
}

function nameOf({ grant, keyId }: { grant: Bytes; keyId: Bytes }): string {
  return `${toHex(grant)} ${toHex(keyId)}`;
}
