/** A value that views can watch. The owner alone sets it; everybody else gets the reading half. */

/** The reading half. */
export interface Observed<T> {
  readonly value: T;
  /** Calls `listener` after each change until the returned function is called. Listeners must not throw. */
  subscribe(listener: () => void): () => void;
}

export class Observable<T> implements Observed<T> {
  #value: T;
  readonly #listeners = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of [...this.#listeners]) listener();
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
