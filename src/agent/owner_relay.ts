/**
 * An owner's questions on their way to control and back: a few at once, each with exactly one reply, in the order in
 * which control is done. A guest's are refused unread. Nothing that control does wrong ends the session.
 */
import type { Log } from "../lib/log.ts";
import type { ControlMessage } from "../protocol/control.ts";
import { decodeControl, encodeControl } from "../protocol/control_codec.ts";
import { fitReply } from "../protocol/fit.ts";
import {
  OWNER_ERRORS,
  type OwnerError,
  type OwnerReply,
  type OwnerRequest,
} from "../protocol/owner.ts";
import { orAborted } from "./aborted.ts";
import { Coalesced } from "./coalesced.ts";
import type { OwnerDesk } from "./seams.ts";
import type { Uses } from "./uses.ts";

/** Requests of one session that may be under way: a page has one or two. */
export const MAX_OWNER_REQUESTS = 4;

/** ms that control may take for an answer: all of it is a few signatures and one write to disk. */
const ANSWER_LIMIT_MS = 10_000;

/** ms between two `people-changed`: each makes a page ask for everybody again. */
const CHANGES_INTERVAL_MS = 1000;

export interface OwnerRelayOptions {
  readonly desk: OwnerDesk | undefined;
  readonly uses: Uses;
  readonly send: (message: ControlMessage) => void;
  readonly log: Log;
  /** ms; tests shorten them. */
  readonly answerLimit?: number;
  readonly changesInterval?: number;
}

/** Between channel 0 and the desk of one session. */
export class OwnerRelay {
  readonly #options: OwnerRelayOptions;
  readonly #changes: Coalesced;
  readonly #closing = new AbortController();
  #underWay = 0;

  constructor(options: OwnerRelayOptions) {
    this.#options = options;
    const tell = () => options.send({ type: "people-changed" });
    this.#changes = new Coalesced(tell, options.changesInterval ?? CHANGES_INTERVAL_MS);
  }

  /** From now on the page hears of changes. */
  start(): void {
    this.#options.desk?.onChange(() => this.#changes.call());
  }

  /** Takes one request; its reply comes by itself. */
  take({ id, request }: { id: number; request: OwnerRequest }): void {
    const { desk, uses } = this.#options;
    if (desk === undefined) {
      uses.note({ kind: "owner-request", id: request.kind, allowed: false });
      return this.#refuse(id, "refused");
    }
    if (this.#underWay >= MAX_OWNER_REQUESTS) return this.#refuse(id, "limit");
    this.#underWay++;
    const answer = ask(desk, request);
    const release = () => void this.#underWay--; // not before, though the reply may have been given up
    answer.then(release, release);
    void this.#relay(id, { answer, kind: request.kind }); // never rejects
  }

  /** No reply and no word of a change after this. */
  close(): void {
    this.#changes.close();
    this.#closing.abort();
  }

  async #relay(
    id: number,
    { answer, kind }: { answer: Promise<OwnerReply>; kind: OwnerRequest["kind"] },
  ): Promise<void> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new Error("Cannot answer: too late")), this.#limit);
    try {
      const signal = AbortSignal.any([late.signal, this.#closing.signal]);
      const reply = fitReply(await orAborted(answer, signal));
      this.#options.send(readable({ type: "owner-reply", id, reply }));
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#fail(id, { error, kind });
    } finally {
      clearTimeout(timer);
    }
  }

  #fail(id: number, { error, kind }: { error: unknown; kind: OwnerRequest["kind"] }): void {
    const code = ownerError(error);
    if (code === "failed") {
      this.#options.log.error("owner.failed", { request: kind, reason: String(error) });
    }
    this.#refuse(id, code);
  }

  #refuse(id: number, error: OwnerError): void {
    this.#options.send({ type: "owner-reply", id, error });
  }

  get #limit(): number {
    return this.#options.answerLimit ?? ANSWER_LIMIT_MS;
  }
}

/** A desk that throws instead of rejecting rejects. */
async function ask(desk: OwnerDesk, request: OwnerRequest): Promise<OwnerReply> {
  return await desk.answer(request);
}

/** Throws if a page would end the connection because of this message. */
function readable(message: ControlMessage): ControlMessage {
  decodeControl(encodeControl(message));
  return message;
}

function ownerError(error: unknown): OwnerError {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return OWNER_ERRORS.find((known) => known === code) ?? "failed";
}
