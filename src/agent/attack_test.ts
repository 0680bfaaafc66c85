/** The agent's streams under attack: a browser's end that speaks frames and keeps no rule. Holds no tests. */
import { type Bytes, concat } from "../lib/bytes.ts";
import { SILENT } from "../lib/log.ts";
import { STREAM_CODES } from "../protocol/errors.ts";
import { encodeFrame, type Frame, FrameParser } from "../protocol/frame.ts";
import { encodeRequestHead } from "../protocol/head.ts";
import type { RequestHead } from "../protocol/http.ts";
import { ChannelDouble, servicesDouble, turns } from "./doubles_test.ts";
import type { Services } from "./seams.ts";
import { Streams } from "./streams.ts";

/** An agent's streams with a channel that speaks frames: nobody at the other end keeps the rules. */
export class Attack {
  readonly streams: Streams;
  readonly near: ChannelDouble;
  readonly far: ChannelDouble;
  readonly received: Frame[] = [];
  ended: string | undefined;
  readonly #parser = new FrameParser();
  #lastId = 0;

  constructor(methods: Partial<Services>, releaseLimit?: number) {
    [this.near, this.far] = ChannelDouble.pair();
    this.streams = new Streams(this.near, {
      services: servicesDouble(methods),
      log: SILENT,
      closed: (reason) => this.ended = reason,
      ...(releaseLimit === undefined ? {} : { releaseLimit }),
    });
    this.streams.start();
    this.far.listen({
      open: () => {},
      message: (bytes) => this.#take(bytes),
      low: () => {},
      close: () => {},
    });
  }

  /** From now on nothing of the agent leaves for the network. */
  stopReading(): void {
    this.near.bufferedAmount = Number.MAX_SAFE_INTEGER;
  }

  openFrame(head: Partial<RequestHead> = {}): Bytes {
    const whole = { kind: "http", service: "ui", method: "GET", path: "/", headers: [] } as const;
    this.#lastId++;
    return encodeFrame({
      type: "open",
      id: this.#lastId,
      head: encodeRequestHead({ ...whole, ...head }),
    });
  }

  get lastId(): number {
    return this.#lastId;
  }

  /** Delivers at once, and lets the agent do what it will. */
  async send(...frames: Bytes[]): Promise<void> {
    this.near.deliver(concat(...frames));
    await turns(20);
  }

  #take(bytes: Bytes): void {
    this.#parser.push(bytes);
    for (let frame = this.#parser.next(); frame !== undefined; frame = this.#parser.next()) {
      this.received.push(frame);
    }
  }
}

export async function attack(
  methods: Partial<Services>,
  run: (attack: Attack) => Promise<void>,
): Promise<void> {
  const under = new Attack(methods);
  try {
    await turns(5);
    await run(under);
  } finally {
    await under.streams.close();
  }
}

export function endFrame(id: number, total = 0): Bytes {
  return encodeFrame({ type: "end", id, total });
}

export function resetFrame(id: number): Bytes {
  return encodeFrame({ type: "reset", id, code: STREAM_CODES.cancelled });
}

export function dataFrame(id: number, length: number, flags = { text: false, last: false }): Bytes {
  return encodeFrame({ type: "data", id, bytes: new Uint8Array(length), ...flags });
}
