/**
 * The device's clock. Boards have none that runs without power, and what the system says may be 1970, 2099 or right. So
 * time here is two things: a lower bound that is never undone, and a word on how well the time is known (security.md 1.2,
 * "Clock-less rules").
 *
 *     lower bound    the latest of build time, what was kept on disk, and what was known in this run; runs on by itself
 *     synchronised   the system's clock is right: systemd-timesyncd says so, or the configuration does
 *     attested       an owner's signed offer told the time in this run
 *     unknown        neither: nobody is refused for being late then, nor let in for being in time
 *
 * Only a synchronised clock and owners raise the bound; guests and the rendezvous never do. Nothing lowers it, so one owner's
 * wrong clock must not move it far: all owners together raise it by `MAX_ATTESTED_SECONDS` in a run. What they say beyond
 * that counts until another owner says otherwise, and is forgotten at the end. A bound that is ahead of the truth all the same
 * does not make a right clock wrong: the time is known then, and only what the device refuses goes by the bound.
 */
import { existsSync } from "node:fs";
import { MAX_TTL_SECONDS } from "../trust/grant.ts";
import { MAX_TIME } from "../trust/token.ts";
import type { Records } from "./records.ts";

export const KNOWLEDGE = ["synchronised", "attested", "unknown"] as const;
export type Knowledge = (typeof KNOWLEDGE)[number];

export interface DeviceClockOptions {
  /** "system": the system's clock is right, whoever sets it. "auto": once systemd-timesyncd says so. */
  readonly mode: "auto" | "system";
  readonly records: Pick<Records, "timeFloor" | "raiseTimeFloor">;
  /** When this program was packaged, in Unix seconds: it did not run before. Absent for a checkout. */
  readonly builtAt?: number | undefined;
  /** Milliseconds of a clock that only runs forward. */
  monotonic(): number;
  /** Milliseconds since 1970, as the system has it. */
  system(): number;
  /** Whether something keeps the system's clock right. */
  isSynchronised?(): boolean;
}

/** No porthole that has this file is older: 2026-01-01. */
const WRITTEN_AT = Date.UTC(2026, 0, 1) / 1000;
const DAY_SECONDS = 24 * 3600;
/** No time is later than this: a grant of ten years that is made then still has a date that fits its four bytes. */
export const LATEST = MAX_TIME - MAX_TTL_SECONDS - 365 * DAY_SECONDS;
/** Clocks that differ by less agree: more than a slew ever is. */
const MAX_BEHIND_SECONDS = 5 * 60;
/** A clock this far ahead of what is known is wrong, whatever is said of it: no board lies in a drawer for longer. */
export const MAX_AHEAD_SECONDS = 10 * 365 * DAY_SECONDS;
/** What owners may add to the bound in a run: a year in a drawer and some weeks. Their own clocks may be wrong. */
export const MAX_ATTESTED_SECONDS = 400 * DAY_SECONDS;
/** Between two writes of a bound that only moves on: an SD card wears. */
export const KEEP_EVERY_SECONDS = 3600;
/** A bound must not overtake the truth: the worst oscillator of a board is five times better. */
const SLOWEST_RATE = 0.9995;
/** How long it is believed what the file said. */
const REREAD_MS = 10_000;
/** Made by systemd-timesyncd at its first answer, in a file system that does not survive a restart. */
const SYNCHRONISED_FILE = "/run/systemd/timesync/synchronized";

/** A time that was known at a moment of the monotonic clock. */
interface Mark {
  /** Unix seconds. */
  readonly time: number;
  /** Milliseconds. */
  readonly at: number;
}

export class DeviceClock {
  readonly #options: DeviceClockOptions;
  /** No clock that is right says less: the program did not exist. */
  readonly #earliest: number;
  /** It was this late then, at the earliest. */
  #bound: Mark;
  /** What the bound would be without the word of owners. */
  #ground: Mark;
  /** What an owner said in this run. */
  #attested: Mark | undefined;
  #kept: number;
  #read: { readonly at: number; readonly synchronised: boolean } | undefined;

  constructor(options: DeviceClockOptions) {
    this.#options = options;
    this.#kept = options.records.timeFloor();
    this.#earliest = Math.max(WRITTEN_AT, options.builtAt ?? 0) - MAX_BEHIND_SECONDS;
    const time = Math.max(WRITTEN_AT, options.builtAt ?? 0, this.#kept);
    this.#bound = this.#ground = { time, at: options.monotonic() };
  }

  /** Unix seconds, as good as the device knows. */
  now(): number {
    const attested = this.#knows() === "attested" ? this.#attested : undefined;
    const best = attested ? this.#since(attested) : this.#system();
    return Math.min(Math.max(this.lowerBound(), Math.floor(best)), LATEST);
  }

  /** Unix seconds. It is later than this for certain. */
  lowerBound(): number {
    return this.#slowlySince(this.#bound);
  }

  /** How well `now` is known. What is known raises the bound. */
  knowledge(): Knowledge {
    const known = this.#knows();
    if (known === "synchronised") {
      const mark = this.#mark(this.#system());
      if (mark.time > this.#slowlySince(this.#ground)) this.#ground = mark;
      this.#raise(mark);
    }
    return known;
  }

  /** An owner who has proved itself told the time: Unix seconds. Passed over where the clock is right already. */
  attest(time: number): void {
    if (this.#knows() === "synchronised" || !this.#isPossible(time)) return;
    const mark = this.#mark(time);
    if (this.#isNews(mark)) this.#attested = mark;
    const most = this.#slowlySince(this.#ground) + MAX_ATTESTED_SECONDS;
    this.#raise({ ...mark, time: Math.min(time, most) });
    this.keep();
  }

  /** The last owner is right, but for a few minutes, and unless what it says is too early and another's is not. */
  #isNews({ time }: Mark): boolean {
    const said = this.#attested && this.#since(this.#attested);
    if (said === undefined || time > said) return true;
    return time < said - MAX_BEHIND_SECONDS && time >= this.lowerBound() - MAX_BEHIND_SECONDS;
  }

  /** What a restart would begin with. */
  get kept(): number {
    return this.#kept;
  }

  /** Writes the bound if it moved by an hour, or at all when `now` is asked for. */
  keep(when?: "now"): void {
    this.knowledge();
    const bound = this.lowerBound();
    if (bound <= this.#kept || (when !== "now" && bound < this.#kept + KEEP_EVERY_SECONDS)) return;
    this.#options.records.raiseTimeFloor(bound);
    this.#kept = bound;
  }

  #knows(): Knowledge {
    if (this.#isSynchronised() && this.#isPossible(this.#system())) return "synchronised";
    return this.#attested ? "attested" : "unknown";
  }

  /** Whether it may be that late now. Earlier than the bound, too: an owner may have been wrong before. */
  #isPossible(time: number): boolean {
    return time >= this.#earliest && time <= this.lowerBound() + MAX_AHEAD_SECONDS;
  }

  #isSynchronised(): boolean {
    const { mode, monotonic, isSynchronised = fileSaysSo } = this.#options;
    if (mode === "system") return true;
    const at = monotonic();
    if (this.#read === undefined || at - this.#read.at >= REREAD_MS) {
      this.#read = { at, synchronised: isSynchronised() };
    }
    return this.#read.synchronised;
  }

  #raise(mark: Mark): void {
    if (mark.time > this.lowerBound()) this.#bound = mark;
  }

  #mark(time: number): Mark {
    return { time, at: this.#options.monotonic() };
  }

  #slowlySince(mark: Mark): number {
    const passed = this.#since(mark) - mark.time;
    return Math.min(Math.floor(mark.time + passed * SLOWEST_RATE), LATEST);
  }

  #since({ time, at }: Mark): number {
    return time + (this.#options.monotonic() - at) / 1000;
  }

  #system(): number {
    return Math.floor(this.#options.system() / 1000);
  }
}

function fileSaysSo(): boolean {
  return existsSync(SYNCHRONISED_FILE);
}
