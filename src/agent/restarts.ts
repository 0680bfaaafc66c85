/**
 * The browser's restarts of ICE, device side: each names its credentials, gets ours, and both sides' candidates follow.
 * The newest counts; what belongs to an older one is dropped. Everything above the path goes on meanwhile.
 */
import type { Log } from "../lib/log.ts";
import type { RestartMessage } from "../trust/handshake.ts";
import type { Peer } from "./seams.ts";
import { errorName } from "./session_end.ts";
import { Trickle } from "./trickle.ts";

export interface RestartsOptions {
  /** Id of the session, for the log. */
  readonly session: string;
  readonly peer: Pick<Peer, "restart" | "addRestartCandidate">;
  /** Seals and sends; rejects when that cannot be. */
  readonly send: (message: RestartMessage) => Promise<void>;
  readonly log: Log;
}

/** See the head of this file. */
export class Restarts {
  readonly #options: RestartsOptions;
  #generation = 0;
  /** What concerns the peer, in order. */
  #work: Promise<void> = Promise.resolve();

  constructor(options: RestartsOptions) {
    this.#options = options;
  }

  /** Takes a message of the browser. Never throws; control limits how many there are. */
  take(message: RestartMessage): void {
    this.#work = this.#work.then(() => this.#take(message)).catch((error: unknown) =>
      this.#options.log.debug("session.restart_failed", { reason: errorName(error) })
    );
  }

  async #take(message: RestartMessage): Promise<void> {
    const { peer } = this.#options;
    if (message.kind === "credentials") {
      if (message.generation > this.#generation) await this.#begin(message);
    } else if (message.generation === this.#generation) {
      await peer.addRestartCandidate(message.candidate);
    }
  }

  async #begin(
    { generation, ufrag, pwd }: RestartMessage & { kind: "credentials" },
  ): Promise<void> {
    const { peer, send, log, session } = this.#options;
    this.#generation = generation;
    log.info("session.restart", { session, generation });
    const trickle = new Trickle(
      (candidate) => send({ kind: "candidate", generation, candidate }),
      log,
    );
    const local = await peer.restart({ ufrag, pwd }, (candidate) => trickle.add(candidate));
    await send({ kind: "credentials", generation, ...local });
    trickle.start();
  }
}
