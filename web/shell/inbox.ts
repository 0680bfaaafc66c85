/** Messages that came and wait to be taken, in order, with one taker. Bounded: a flood ends the connection. */
export class Inbox<T> {
  readonly #limit: number;
  #waiting: T[] = [];
  #taker: PromiseWithResolvers<T> | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** False if the message found no room and was dropped. */
  put(message: T): boolean {
    if (this.#taker !== undefined) {
      this.#taker.resolve(message);
      this.#taker = undefined;
      return true;
    }
    if (this.#waiting.length >= this.#limit) return false;
    this.#waiting.push(message);
    return true;
  }

  /** The next message. One take at a time; a take that its caller gave up on must not be followed by another. */
  take(): Promise<T> {
    const [first] = this.#waiting;
    if (this.#waiting.length > 0) {
      this.#waiting = this.#waiting.slice(1);
      return Promise.resolve(first as T);
    }
    this.#taker = Promise.withResolvers<T>();
    return this.#taker.promise;
  }
}
