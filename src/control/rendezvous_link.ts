/**
 * One connection of the device to its rendezvous, from dialling to its end. Every end is a value: the owner
 * (`rendezvous_client.ts`) decides what follows. The rendezvous is not trusted: its messages are bounded and parsed,
 * and what it delivers is opaque here.
 *
 *   opening -> open -> registering -> registered -> ended        any state -> ended
 *
 * The `ws` client instead of the runtime's own: that one takes messages of 64 MiB, cannot be told to let go of a
 * connection that is half open, and hides pings.
 */
// @ts-types="npm:@types/ws@8.18.2"
import { WebSocket } from "ws";
import { type Bytes, fromBase64Url, toBase64Url } from "../lib/bytes.ts";
import type { Log } from "../lib/log.ts";
import {
  type FromDevice,
  type IceServerEntry,
  MAX_SEALED_BYTES,
  MAX_SIGNAL_LENGTH,
  parseToDevice,
  type RefusalCode,
  registrationText,
  type ToDevice,
} from "../protocol/signal.ts";
import type { LinkLimits } from "./rendezvous_limits.ts";
import { isPortal } from "./rendezvous_url.ts";
import { Seldom } from "./seldom.ts";

/** The device's key. */
export interface RegistrationSigner {
  readonly publicKey: Bytes;
  sign(message: Bytes): Promise<Bytes>;
}

/** Takes what browsers send. */
export interface MailHandler {
  /** A sealed message. A peer's messages come in order; the first one names a new peer. */
  receive(peer: number, sealed: Bytes): void;
  /** The peer's way to us ended: it left, or our connection did. Its number may come again for somebody else. */
  gone(peer: number): void;
}

export interface LinkOptions {
  readonly url: string;
  readonly signer: RegistrationSigner;
  /** A fresh M0, signed. */
  readonly presence: () => Promise<Bytes>;
  /** Short tags of our people (`Passes`). */
  readonly people: () => Promise<Bytes>;
  readonly mail: MailHandler;
  /** The connection stands. `shell` is the origin of the page that the rendezvous serves. */
  readonly registered: (iceServers: readonly IceServerEntry[], shell: string) => void;
  readonly newIceServers: (iceServers: readonly IceServerEntry[]) => void;
  readonly log: Log;
  readonly limits: LinkLimits;
  /** Silence after which we ask the rendezvous for a sign of life, in ms. */
  readonly pingEveryMs: number;
}

/** Why a connection ended. */
export type LossReason =
  | "stopped"
  | "unreachable"
  /** A web page answers in its place: this network may want a login first. */
  | "portal"
  | "timeout"
  | "closed"
  | "silent"
  /** The network changed: its address is gone, or no sign of life came. */
  | "moved"
  | "slow"
  | "malformed"
  | "failed"
  | RefusalCode;

export interface Loss {
  readonly reason: LossReason;
  readonly detail?: string;
}

type State = "opening" | "open" | "registering" | "registered" | "ended";

export class RendezvousLink {
  readonly #options: LinkOptions;
  readonly #peers = new Set<number>();
  readonly #people: Seldom;
  #state: State = "opening";
  #socket: WebSocket | undefined;
  #settle: ((loss: Loss) => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #heardSincePing = false;
  /** The address of this machine that the connection uses; undefined where nobody says it. */
  #localAddress: string | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    const tell = () => this.#tellPeople().catch((error: unknown) => this.#failed(error));
    this.#people = new Seldom(() => void tell(), options.limits.peopleMs);
  }

  /** Dials and stays until the connection ends, which it does when `signal` says so at the latest. Call once. */
  async run(signal: AbortSignal): Promise<Loss> {
    if (signal.aborted) return { reason: "stopped" };
    const stop = () => this.#end({ reason: "stopped" });
    signal.addEventListener("abort", stop, { once: true });
    try {
      return await new Promise<Loss>((resolve) => {
        this.#settle = resolve;
        this.#dial();
      });
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /** Sends to a browser. False when there is no connection; who cares is told by `gone`. */
  send(peer: number, sealed: Bytes): boolean {
    if (sealed.length > MAX_SEALED_BYTES) {
      throw new RangeError(`Cannot send to a browser: ${sealed.length} bytes are above the limit`);
    }
    if (this.#state !== "registered") return false;
    return this.#write({ type: "send", peer, sealed: toBase64Url(sealed) });
  }

  /** Hands a new M0 to the rendezvous. */
  updatePresence(): void {
    if (this.#state !== "registered") return;
    this.#publish().catch((error: unknown) => this.#failed(error));
  }

  /** Our people are others: tells the rendezvous, soon. */
  updatePeople(): void {
    if (this.#state === "registered") this.#people.ask();
  }

  /**
   * The path is in doubt: asks for a sign of life now, and gives a dead connection up soon. One whose own address this
   * machine no longer has (`addresses`) is dead.
   */
  doubt(addresses?: ReadonlySet<string>): void {
    const local = this.#localAddress;
    if (addresses !== undefined && local !== undefined && !addresses.has(local)) {
      return this.#end({ reason: "moved" });
    }
    if (this.#state !== "registered") return;
    clearTimeout(this.#timer);
    this.#ping({ waitMs: this.#options.limits.doubtMs, reason: "moved" });
  }

  #dial(): void {
    const { url, limits } = this.#options;
    const socket = this.#socket = new WebSocket(url, {
      maxPayload: MAX_SIGNAL_LENGTH,
      perMessageDeflate: false,
      autoPong: false, // `ws` would queue pongs without end for one who does not read
    });
    this.#timer = setTimeout(() => this.#end({ reason: "timeout" }), limits.registerMs);
    socket.on("upgrade", ({ socket: { localAddress } }) => {
      this.#localAddress = localAddress?.replace(/^::ffff:(?=\d+\.)/, "");
    });
    socket.on("open", () => this.#opened());
    socket.on("message", (data, isBinary) => this.#read(isBinary ? "" : String(data)));
    socket.on("pong", () => this.#heardSincePing = true);
    socket.on("ping", (data) => {
      this.#heardSincePing = true;
      if (this.#isWritable()) socket.pong(data);
    });
    socket.on("error", (error) => {
      const unopened = isPortal(error.message) ? "portal" : "unreachable";
      const reason = this.#state === "opening" ? unopened : "closed";
      this.#end({ reason, detail: error.message });
    });
    socket.on("close", () => this.#end({ reason: "closed" }));
  }

  #opened(): void {
    if (this.#state === "opening") this.#state = "open";
  }

  #read(text: string): void {
    if (this.#state === "ended") return;
    this.#heardSincePing = true;
    const message = parseToDevice(text);
    if (message === undefined) return this.#end({ reason: "malformed" });
    this.#handle(message);
  }

  #handle(message: ToDevice): void {
    if (message.type === "refused") return this.#refused(message.code);
    if (message.type === "challenge" && this.#state === "open") {
      this.#state = "registering";
      this.#register(fromBase64Url(message.nonce)).catch((error: unknown) => this.#failed(error));
      return;
    }
    if (message.type === "registered" && this.#state === "registering") {
      return this.#begin(message.iceServers, message.shell);
    }
    if (this.#state !== "registered") return this.#end({ reason: "malformed" });
    switch (message.type) {
      case "ice-servers":
        return this.#options.newIceServers(message.iceServers);
      case "deliver":
        return this.#deliver(message.peer, fromBase64Url(message.sealed));
      case "gone":
        return this.#forget(message.peer);
      case "challenge":
      case "registered":
        return this.#end({ reason: "malformed" });
    }
  }

  async #register(nonce: Bytes): Promise<void> {
    const { signer, presence } = this.#options;
    const signature = await signer.sign(registrationText(nonce, signer.publicKey));
    this.#write({
      type: "register",
      key: toBase64Url(signer.publicKey),
      signature: toBase64Url(signature),
      presence: toBase64Url(await presence()),
    });
  }

  async #publish(): Promise<void> {
    this.#write({ type: "presence", presence: toBase64Url(await this.#options.presence()) });
  }

  async #tellPeople(): Promise<void> {
    this.#write({ type: "people", tags: toBase64Url(await this.#options.people()) });
  }

  /** Our own key or clock failed: another try may do better. */
  #failed(error: unknown): void {
    this.#end({ reason: "failed", detail: String(error) });
  }

  #begin(iceServers: readonly IceServerEntry[], shell: string): void {
    this.#state = "registered";
    this.#options.registered(iceServers, shell);
    this.updatePeople();
    this.#pause();
  }

  /** A browser that left meanwhile is nobody's fault; any other refusal is followed by the end. */
  #refused(code: RefusalCode): void {
    if (code !== "unknown_peer") this.#end({ reason: code });
  }

  #deliver(peer: number, sealed: Bytes): void {
    if (!this.#peers.has(peer) && this.#peers.size >= this.#options.limits.peers) {
      return this.#end({ reason: "malformed", detail: "too many peers" });
    }
    this.#peers.add(peer);
    this.#tell(() => this.#options.mail.receive(peer, sealed));
  }

  #forget(peer: number): void {
    if (this.#peers.delete(peer)) this.#tell(() => this.#options.mail.gone(peer));
  }

  /** What a browser sent must not end the connection of all others, nor the process. */
  #tell(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#options.log.error("rendezvous.mail_failed", { error: String(error) });
    }
  }

  /** Waits for the time to ask for a sign of life. */
  #pause(): void {
    clearTimeout(this.#timer);
    if (this.#state === "ended") return;
    const { pingEveryMs, limits: { pongMs } } = this.#options;
    const ping = () => this.#ping({ waitMs: pongMs, reason: "silent" });
    this.#timer = setTimeout(ping, pingEveryMs);
  }

  #ping({ waitMs, reason }: { waitMs: number; reason: "silent" | "moved" }): void {
    this.#heardSincePing = false;
    if (this.#isWritable()) this.#socket!.ping(); // running: there is a socket
    this.#timer = setTimeout(() => {
      if (this.#heardSincePing) this.#pause();
      else this.#end({ reason });
    }, waitMs);
  }

  #write(message: FromDevice): boolean {
    if (!this.#isWritable()) return false;
    this.#socket!.send(JSON.stringify(message)); // writable: there is a socket
    return true;
  }

  #isWritable(): boolean {
    const socket = this.#socket;
    if (this.#state === "ended" || socket?.readyState !== WebSocket.OPEN) return false;
    if (socket.bufferedAmount <= this.#options.limits.waitingBytes) return true;
    this.#end({ reason: "slow" });
    return false;
  }

  /** The only way out; the first reason counts. */
  #end(loss: Loss): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    clearTimeout(this.#timer);
    this.#people.stop();
    this.#socket?.terminate();
    for (const peer of [...this.#peers]) this.#forget(peer);
    this.#settle?.(loss);
  }
}
