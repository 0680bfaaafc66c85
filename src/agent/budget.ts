/** Memory that many share: each takes from it what it holds, and gives back all of it at once. */

/** Counts the bytes that all shares hold together. */
export class Budget {
  readonly #limit: number;
  #held = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes that are held now. */
  get held(): number {
    return this.#held;
  }

  /** Whoever takes from the share must clear it in the end. */
  share(): BudgetShare {
    let mine = 0;
    return {
      take: (bytes) => {
        if (this.#held + bytes > this.#limit) return false;
        this.#held += bytes;
        mine += bytes;
        return true;
      },
      clear: () => {
        this.#held -= mine;
        mine = 0;
      },
    };
  }
}

/** What one user of a budget holds. */
export interface BudgetShare {
  /** Takes so many bytes; false, and nothing taken, when they are more than is left. */
  take(bytes: number): boolean;
  /** Gives everything back that was taken. */
  clear(): void;
}
