/** Tells whoever shows people that something about them is different: owners' pages, through their sessions. */
export class Changes {
  readonly #listeners = new Set<() => void>();

  /** Calls back after each change, until the returned function is called. Listeners must not throw. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Whether anybody would hear of one. */
  get areHeard(): boolean {
    return this.#listeners.size > 0;
  }

  tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
