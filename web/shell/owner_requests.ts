/**
 * An owner's questions to the device over one connection: each has an id, one answer and a time limit. Not what is asked
 * or shown (`owner_console.ts`).
 */
import type { ControlMessage } from "../../src/protocol/control.ts";
import type { OwnerError, OwnerReply, OwnerRequest } from "../../src/protocol/owner.ts";
import { LostError } from "./lost.ts";

const REPLY_LIMIT_MS = 15_000; // a slow board flushes to its SD card before it answers
const MAX_OPEN = 8; // a person does one thing at a time; beside it the page refreshes what it shows

/** The device's own codes, and what only this side can know. */
export type RequestCode = OwnerError | "late" | "parted";

/** A request was not answered, or answered with a refusal. The message is for the console. */
export class RequestError extends Error {
  override name = "RequestError";
  constructor(readonly code: RequestCode, message: string) {
    super(message);
  }
}

type Kind = OwnerRequest["kind"];
/** What the device answers to a request of this kind. */
export type ReplyTo<K extends Kind> = OwnerReply & {
  readonly kind: K extends "lend" | "revoke" | "kick" ? "done" : K;
};

interface Open {
  readonly wanted: OwnerReply["kind"];
  readonly answer: PromiseWithResolvers<OwnerReply>;
  readonly timer: ReturnType<typeof setTimeout>;
}

export class OwnerRequests {
  readonly #send: (message: ControlMessage) => void;
  readonly #open = new Map<number, Open>();
  #last = 0;
  #closed = false;

  constructor(send: (message: ControlMessage) => void) {
    this.#send = send;
  }

  /** Asks the device. Rejects with a RequestError. */
  async ask<K extends Kind>(request: OwnerRequest & { readonly kind: K }): Promise<ReplyTo<K>> {
    if (this.#closed) throw new RequestError("parted", "Cannot ask the device: not connected");
    if (this.#open.size >= MAX_OPEN) throw new RequestError("limit", "Cannot ask: too many open");
    const id = ++this.#last;
    const answer = Promise.withResolvers<OwnerReply>();
    const late = () => this.#fail(id, new RequestError("late", `No answer to "${request.kind}"`));
    const timer = setTimeout(late, REPLY_LIMIT_MS);
    this.#open.set(id, { wanted: replyKind(request.kind), answer, timer });
    this.#send({ type: "owner-request", id, request });
    return await answer.promise as ReplyTo<K>; // `answered` has compared the kinds
  }

  /** Takes a reply. Throws a LostError when it breaks the protocol; one that comes too late is passed over. */
  answered(message: ControlMessage & { type: "owner-reply" }): void {
    const open = this.#open.get(message.id);
    if (open === undefined) {
      if (message.id <= this.#last) return;
      throw new LostError("protocol", "The device answered what nobody asked");
    }
    if ("error" in message) {
      return this.#fail(message.id, new RequestError(message.error, `Refused: ${message.error}`));
    }
    if (message.reply.kind !== open.wanted) {
      throw new LostError("protocol", "The device answered something else than was asked");
    }
    this.#forget(message.id);
    open.answer.resolve(message.reply);
  }

  /** The connection ended: whoever waits is told. */
  close(): void {
    this.#closed = true;
    for (const id of [...this.#open.keys()]) {
      this.#fail(id, new RequestError("parted", "The connection ended"));
    }
  }

  #fail(id: number, error: RequestError): void {
    const open = this.#open.get(id);
    this.#forget(id);
    open?.answer.reject(error);
  }

  #forget(id: number): void {
    clearTimeout(this.#open.get(id)?.timer);
    this.#open.delete(id);
  }
}

function replyKind(kind: Kind): OwnerReply["kind"] {
  switch (kind) {
    case "lend":
    case "revoke":
    case "kick":
    case "unpair":
      return "done";
    case "people":
    case "pair":
    case "audit":
    case "audit-hash":
      return kind;
  }
}
