/**
 * Channel 0, `control`, as the shell uses it: first both sides prove who they are (M4, security.md 1.4), then control
 * messages. Messages are taken one after the other by one owner; what cannot be read ends the connection.
 */
import type { Bytes } from "../../src/lib/bytes.ts";
import type { ControlMessage } from "../../src/protocol/control.ts";
import { decodeControl, encodeControl } from "../../src/protocol/control_codec.ts";
import { Inbox } from "./inbox.ts";
import { LostError } from "./lost.ts";
import { until } from "./wait.ts";

const MAX_WAITING = 256; // the owner takes messages as they come; a backlog of this length is a flood

/** What the link needs of an `RTCDataChannel`. */
export interface ControlChannel {
  binaryType: string;
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: Event) => void) | null;
  readonly readyState: string;
  send(bytes: Bytes): void;
}

/** Proof of both ends' identity inside the channel; `BrowserHandshake.confirmation()` gives one. */
export interface Confirmation {
  start(seen: { local: Bytes; remote: Bytes }): Promise<Bytes>;
  receive(message: Bytes): Promise<Bytes | undefined>;
  readonly done: boolean;
}

export class ControlLink {
  readonly #channel: ControlChannel;
  readonly #inbox = new Inbox<ControlMessage>(MAX_WAITING);
  readonly #opened = Promise.withResolvers<void>();
  readonly #lost: (error: LostError) => void;

  constructor(channel: ControlChannel, lost: (error: LostError) => void) {
    this.#channel = channel;
    this.#lost = lost;
    channel.binaryType = "arraybuffer";
    channel.onopen = () => this.#opened.resolve();
    channel.onmessage = (event: MessageEvent<unknown>) => this.#read(event.data);
    channel.onclose = () => lost(new LostError("ended", "The device closed the control channel"));
  }

  /** Resolves when the channel is open: DTLS and SCTP are up. */
  opened(): Promise<void> {
    return this.#opened.promise;
  }

  /** Runs M4 to its end. `seen` holds the fingerprints of the certificates of the DTLS handshake that took place. */
  async confirm(
    confirmation: Confirmation,
    options: { seen: { local: Bytes; remote: Bytes }; signal: AbortSignal },
  ): Promise<void> {
    this.send({ type: "confirm", bytes: await confirmation.start(options.seen) });
    while (!confirmation.done) {
      const message = await this.next(options.signal);
      if (message.type === "bye") throw byeError(message.code);
      if (message.type !== "confirm") {
        throw new LostError("protocol", `The device sent ${message.type} before its proof`);
      }
      const reply = await confirmation.receive(message.bytes);
      if (reply !== undefined) this.send({ type: "confirm", bytes: reply });
    }
  }

  /** The next message, in order. */
  next(signal: AbortSignal): Promise<ControlMessage> {
    return until(this.#inbox.take(), signal);
  }

  /** Sends a message; ignored when the channel is not open: its end was or will be told. */
  send(message: ControlMessage): void {
    if (this.#channel.readyState === "open") this.#channel.send(encodeControl(message));
  }

  #read(data: unknown): void {
    try {
      if (!(data instanceof ArrayBuffer)) throw new TypeError("Cannot read a message: not binary");
      if (!this.#inbox.put(decodeControl(new Uint8Array(data)))) {
        this.#lost(new LostError("protocol", "The device sends too many control messages"));
      }
    } catch (cause) {
      this.#lost(new LostError("protocol", "Cannot read a control message", { cause }));
    }
  }
}

/** What a `bye` of the device means for us. */
export function byeError(code: (ControlMessage & { type: "bye" })["code"]): LostError {
  switch (code) {
    case "refused":
      // Also what a device says when something of its own failed. The next offer tells: "not_paired" is signed there.
      return new LostError("ended", "The device ended the session");
    case "shutdown":
      return new LostError("shutdown", "The device stops");
    case "limit":
      return new LostError("busy", "The device has reached a limit");
    case "protocol":
      return new LostError("protocol", "The device cannot read what we send");
    case "expired":
      return new LostError("grant_expired", "The grant has ended");
    case "revoked":
      return new LostError("grant_revoked", "An owner ended the grant");
    case "removed":
      return new LostError("removed", "The owner, or the one who lent, was removed");
    case "kicked":
      return new LostError("kicked", "An owner ended the session");
    case "closed":
      return new LostError("ended", "The device closed the session");
  }
}
