/**
 * The browser's side of the rendezvous: one WebSocket to `/v1/browser`, opened for one attempt to reach one device.
 * The rendezvous is hostile: what it says is parsed, bounded, and believed only where a signature inside says so.
 */
import { type Bytes, fromBase64Url, toBase64Url } from "../../src/lib/bytes.ts";
import {
  type FromBrowser,
  type IceServerEntry,
  parseToBrowser,
  type ToBrowser,
} from "../../src/protocol/signal.ts";
import { Inbox } from "./inbox.ts";
import { LostError } from "./lost.ts";

const FIND_LIMIT_MS = 10_000; // a phone on a bad link needs seconds for DNS, TLS and the upgrade
const MAX_DELIVERIES = 64; // one answer and its candidates, which a device sends by the dozen at most

/** What the rendezvous knows of a device that is there. */
export interface Found {
  /** M0, signed by the device. */
  readonly presence: Bytes;
  readonly iceServers: readonly IceServerEntry[];
}

export class Signalling {
  readonly #socket: WebSocket;
  readonly #device: string;
  readonly #found = Promise.withResolvers<Found>();
  readonly #deliveries = new Inbox<Bytes>(MAX_DELIVERIES);
  readonly #lost: (error: LostError) => void;

  /** Opens the socket and asks for the device at once. `lost` is told of the socket's end, and of refusals. */
  constructor(
    url: string,
    options: { device: string; lost: (error: LostError) => void },
  ) {
    this.#device = options.device;
    this.#lost = options.lost;
    this.#found.promise.catch(() => {}); // `found` passes it on; a caller may have left before it was called
    this.#socket = new WebSocket(url);
    let opened = false;
    this.#socket.onopen = () => {
      opened = true;
      this.#write({ type: "find", device: this.#device });
    };
    this.#socket.onmessage = (event: MessageEvent<unknown>) => this.#read(event.data);
    this.#socket.onclose = () => {
      if (!opened) shedCookies(url);
      this.#fail(new LostError("rendezvous", "The rendezvous is gone"));
    };
    // No `onerror`: a close event always follows it.
  }

  /** Presence of the device. Rejects with `absent`, `refused` or `rendezvous`. */
  found(): Promise<Found> {
    const limit = setTimeout(
      () => this.#fail(new LostError("rendezvous", "The rendezvous does not answer")),
      FIND_LIMIT_MS,
    );
    return this.#found.promise.finally(() => clearTimeout(limit));
  }

  /** Sends one sealed message to the device. Ignored when the socket is gone: `lost` was told. */
  send(sealed: Bytes): void {
    this.#write({ type: "send", device: this.#device, sealed: toBase64Url(sealed) });
  }

  /** The next sealed message of the device, in order. */
  delivery(): Promise<Bytes> {
    return this.#deliveries.take();
  }

  close(): void {
    this.#socket.onclose = null;
    this.#socket.onmessage = null;
    this.#socket.close();
  }

  #write(message: FromBrowser): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #read(data: unknown): void {
    try {
      const message = typeof data === "string" ? parseToBrowser(data) : undefined;
      if (message === undefined) throw new SyntaxError("Cannot read a message: malformed");
      this.#take(message);
    } catch (cause) {
      this.#fail(new LostError("protocol", "Cannot read what the rendezvous says", { cause }));
    }
  }

  #take(message: ToBrowser): void {
    switch (message.type) {
      case "found":
        if (message.device !== this.#device) return;
        return this.#found.resolve({
          presence: fromBase64Url(message.presence),
          iceServers: message.iceServers,
        });
      case "absent":
        return this.#fail(new LostError("absent", "The device is not at the rendezvous"));
      case "deliver":
        if (message.device !== this.#device) return;
        if (!this.#deliveries.put(fromBase64Url(message.sealed))) {
          this.#fail(new LostError("protocol", "The rendezvous delivers too much"));
        }
        return;
      case "refused":
        return this.#fail(new LostError("refused", `The rendezvous refuses: ${message.code}`));
    }
  }

  #fail(error: LostError): void {
    this.#found.reject(error);
    this.#lost(error);
  }
}

/**
 * Cookies that another page set for this one path may be what keeps the socket out. The rendezvous has them deleted when
 * it is asked (src/rendezvous/oversized_head.ts), but browsers heed that in answers to requests, not to WebSockets.
 */
function shedCookies(url: string): void {
  fetch(url.replace(/^ws/, "http"), { cache: "no-store" }).catch(() => {}); // the next attempt sees what it did
}
