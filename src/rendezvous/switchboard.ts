/**
 * Where a message finds its socket. One node keeps a map; many nodes will share a NATS cluster, where a mailbox is a
 * subject (DESIGN 10). So delivery says nothing at once: a letter that nobody takes comes back as `unreachable`, as
 * NATS' "no responders" does.
 */
import type { RefusalCode } from "../protocol/signal.ts";

/** `device:` and an id, or `browser:` and a random name: neither can be taken for the other. */
export type Mailbox = `device:${string}` | `browser:${string}`;

/** What the connections of a browser and of a device say to each other. */
export type Letter =
  | { readonly type: "find"; readonly from: Mailbox }
  | { readonly type: "found"; readonly device: string; readonly presence: string }
  /** From a browser; `address` is where it comes from, as `address.ts` groups them. */
  | {
    readonly type: "sealed";
    readonly from: Mailbox;
    readonly address: string;
    readonly sealed: string;
  }
  /** From a device. */
  | { readonly type: "reply"; readonly from: Mailbox; readonly sealed: string }
  | { readonly type: "refused"; readonly from: Mailbox; readonly code: RefusalCode }
  | { readonly type: "gone"; readonly from: Mailbox }
  | { readonly type: "unreachable"; readonly mailbox: Mailbox };

/** Takes the letters of one mailbox. May deliver letters itself; must not throw. */
export type Sink = (letter: Letter) => void;

export interface Switchboard {
  /** Opens a mailbox, in place of whoever held it; the returned function closes it again. */
  attach(mailbox: Mailbox, sink: Sink): () => void;
  /** Sends a letter. If nobody holds `mailbox`, the sender gets `unreachable`. */
  deliver(mailbox: Mailbox, letter: Letter): void;
}

/** The mailboxes of this process. */
export class LocalSwitchboard implements Switchboard {
  readonly #sinks = new Map<Mailbox, Sink>();

  attach(mailbox: Mailbox, sink: Sink): () => void {
    this.#sinks.set(mailbox, sink);
    return () => {
      if (this.#sinks.get(mailbox) === sink) this.#sinks.delete(mailbox);
    };
  }

  deliver(mailbox: Mailbox, letter: Letter): void {
    const sink = this.#sinks.get(mailbox);
    if (sink !== undefined) return sink(letter);
    if ("from" in letter) this.#sinks.get(letter.from)?.({ type: "unreachable", mailbox });
  }
}
