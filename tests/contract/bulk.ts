/** Bytes on the bulk channel between our peer and a browser, with the page of `peer_page.js`. */
import { createHash, randomBytes } from "node:crypto";
import type { Bytes } from "../../src/lib/bytes.ts";
import type { WeriftPeer } from "../../src/webrtc/peer.ts";

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

/** Digests of what left and of what arrived, as hexadecimal digits. */
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
    const bytes = randomBytes(total);
    const arrival = this.#session.call<{ sha256: string }>("receive", BULK, total);
    await this.#session.call("opened", BULK); // calls are done in order: now the page listens
    for (let at = 0; at < total; at += MESSAGE_BYTES) {
      await this.#room();
      this.#channel.send(bytes.subarray(at, at + MESSAGE_BYTES));
    }
    const sent = createHash("sha256").update(bytes).digest("hex");
    return { sent, arrived: (await arrival).sha256 };
  }

  /** From the browser to us. */
  async up(total: number): Promise<Moved> {
    const whole = Promise.withResolvers<void>();
    const hash = createHash("sha256");
    let length = 0;
    this.#message = (bytes) => {
      hash.update(bytes);
      length += bytes.length;
      if (length >= total) whole.resolve();
    };
    const sent = await this.#session.call<string>("send", BULK, total, MESSAGE_BYTES);
    await whole.promise;
    return { sent, arrived: hash.digest("hex") };
  }

  async #room(): Promise<void> {
    if (this.#channel.bufferedAmount <= HIGH_BYTES) return;
    await new Promise<void>((resolve) => this.#low = resolve);
  }
}
