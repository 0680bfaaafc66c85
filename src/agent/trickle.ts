/** Our candidates on their way to the browser: in order, and none before the answer that makes them readable. */
import type { Log } from "../lib/log.ts";
import { errorName } from "./session_end.ts";

/** A queue that opens once. Candidates are few: a board has as many as it has addresses and servers. */
export class Trickle {
  readonly #send: (candidate: string) => Promise<void>;
  readonly #log: Log;
  readonly #answered = Promise.withResolvers<void>();
  #sending = this.#answered.promise;

  constructor(send: (candidate: string) => Promise<void>, log: Log) {
    this.#send = send;
    this.#log = log;
  }

  add(candidate: string): void {
    this.#sending = this.#sending
      .then(() => this.#send(candidate))
      .catch((error: unknown) =>
        this.#log.debug("session.candidate_lost", { reason: errorName(error) })
      );
  }

  /** The answer has left. */
  start(): void {
    this.#answered.resolve();
  }
}
