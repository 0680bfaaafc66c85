/**
 * Which TSNs have come (RFC 9260 6.2): the cumulative one, the ranges behind it, and duplicates to
 * report. Bytes are not its business.
 */
import { tsnDistance, tsnPlus } from "../packet/serial.ts";
import { type TsnRange, TsnRanges } from "../packet/tsn_ranges.ts";

/**
 * TSNs ahead of the cumulative one that are taken: as many as reassembly has places. Four times
 * what a window of 2 MiB holds in full packets; far below the 65,535 that a gap block can say.
 */
export const MAX_TSNS_AHEAD = 8192;
/**
 * Duplicates told in one SACK. The peer learns from one that it repeats itself too early; a flood
 * of them must not make long answers.
 */
export const MAX_DUPLICATES = 16;

export type TsnVerdict = "new" | "duplicate" | "too far";

export class DataTracker {
  #cumulative: number;
  readonly #ranges = new TsnRanges();
  readonly #duplicates: number[] = [];

  constructor(initialTsn: number) {
    this.#cumulative = tsnPlus(initialTsn, -1);
  }

  get cumulativeTsn(): number {
    return this.#cumulative;
  }

  get ranges(): readonly TsnRange[] {
    return this.#ranges.list;
  }

  get hasGaps(): boolean {
    return !this.#ranges.isEmpty;
  }

  get duplicates(): readonly number[] {
    return this.#duplicates;
  }

  /** Looks at a TSN without taking it. */
  judge(tsn: number): TsnVerdict {
    const ahead = tsnDistance(tsn, this.#cumulative);
    if (ahead <= 0 || (!this.#ranges.isEmpty && this.#ranges.has(tsn))) return "duplicate";
    return ahead > MAX_TSNS_AHEAD ? "too far" : "new";
  }

  /** Whether taking it moves the cumulative TSN. */
  isNext(tsn: number): boolean {
    return tsn === tsnPlus(this.#cumulative, 1);
  }

  /** Takes a new TSN. Gives false when there are too many gaps already: then it has not come. */
  take(tsn: number): boolean {
    if (!this.isNext(tsn)) return this.#ranges.add(tsn);
    this.#cumulative = this.#ranges.isEmpty ? tsn : this.#ranges.advance(tsn);
    return true;
  }

  noteDuplicate(tsn: number): void {
    if (this.#duplicates.length < MAX_DUPLICATES) this.#duplicates.push(tsn);
  }

  /** The SACK is written. */
  clearDuplicates(): void {
    this.#duplicates.length = 0;
  }
}
