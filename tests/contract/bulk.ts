/** Bytes on the bulk channel between our peer and a browser, with the page of `peer_page.js`. */
import { randomBytes } from "node:crypto";
import type { Bytes } from "../../src/lib/bytes.ts";
import type { WeriftPeer } from "../../src/webrtc/peer.ts";
import { BlockDigest } from "./block_digest.ts";

const MESSAGE_BYTES = 16_384;
/** The agent's own mark: so much may wait in the channel. */
const HIGH_BYTES = 262_144;
const BULK = 1;

/** What is needed of a session, whichever browser it is with. */
export interface BrowserSession {
  readonly peer: WeriftPeer;
  /** Calls a function of `peer_page.js`. */
  call<Result>(name: string, ...values: unknown[]): Promise<Result>;
}

/** Block digests of what left and of what arrived. */
export interface Moved {
  readonly sent: string;
  readonly arrived: string;
}

/** The bulk channel, open at both ends. */
export class Bulk {
  readonly #session: BrowserSession;
  readonly #opened = Promise.withResolvers<void>();
  readonly #channel;
  #low = () => {};
  #message: (bytes: Bytes) => void = () => {};

  private constructor(session: BrowserSession) {
    this.#session = session;
    this.#channel = session.peer.channel(BULK, "bulk");
    this.#channel.listen({
      open: () => this.#opened.resolve(),
      message: (bytes) => this.#message(bytes),
      low: () => this.#low(),
      close() {},
    });
  }

  static async open(session: BrowserSession): Promise<Bulk> {
    const bulk = new Bulk(session);
    await session.call("channel", BULK, "bulk");
    await bulk.#opened.promise;
    await session.call("opened", BULK);
    return bulk;
  }

  /** From us to the browser. */
  async down(total: number): Promise<Moved> {
    const digest = new BlockDigest();
    const arrival = this.#session.call<string>("swallow", BULK, total);
    await this.#session.call("opened", BULK); // calls are done in order: now the page listens
    for (let at = 0; at < total; at += MESSAGE_BYTES) {
      const message = randomBytes(Math.min(MESSAGE_BYTES, total - at));
      digest.add(message);
      await digest.ready();
      await this.#room();
      this.#channel.send(message);
    }
    return { sent: await digest.hex(), arrived: await arrival };
  }

  /** From the browser to us. */
  async up(total: number): Promise<Moved> {
    const whole = Promise.withResolvers<void>();
    const digest = new BlockDigest();
    let length = 0;
    this.#message = (bytes) => {
      digest.add(bytes);
      length += bytes.length;
      if (length >= total) whole.resolve();
    };
    const sent = await this.#session.call<string>("pour", BULK, total, MESSAGE_BYTES);
    await whole.promise;
    return { sent, arrived: await digest.hex() };
  }

  async #room(): Promise<void> {
    if (this.#channel.bufferedAmount <= HIGH_BYTES) return;
    await new Promise<void>((resolve) => this.#low = resolve);
  }
}
