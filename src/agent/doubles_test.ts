/** Test doubles of the agent's seams, named so, and a browser's end of the bulk channel. Holds no tests. */
import type { Bytes } from "../lib/bytes.ts";
import { CHANNEL_HIGH_BYTES } from "../protocol/limits.ts";
import { Mux, type MuxEvent } from "../protocol/mux.ts";
import type { RequestHead } from "../protocol/http.ts";
import type { Channel, ChannelHandlers, Services } from "./seams.ts";

/** One end of a channel in memory: messages arrive in order, a microtask later. */
export class ChannelDouble implements Channel {
  bufferedAmount = 0;
  isPaused = false;
  readonly sent: Bytes[] = [];
  #handlers: ChannelHandlers | undefined;
  #other: ChannelDouble | undefined;
  #state: "open" | "closed" = "open";

  static pair(): [ChannelDouble, ChannelDouble] {
    const [a, b] = [new ChannelDouble(), new ChannelDouble()];
    a.#other = b;
    b.#other = a;
    return [a, b];
  }

  get room(): number {
    return CHANNEL_HIGH_BYTES - this.bufferedAmount;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  listen(handlers: ChannelHandlers): void {
    this.#handlers = handlers;
    queueMicrotask(() => handlers.open());
  }

  send(bytes: Uint8Array): void {
    if (this.#state === "closed") return;
    const copy = new Uint8Array(bytes);
    this.sent.push(copy);
    queueMicrotask(() => this.#other?.deliver(copy));
  }

  deliver(bytes: Bytes): void {
    if (this.#state === "open") this.#handlers?.message(bytes);
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#handlers?.close();
    this.#other?.close();
  }
}

/** A browser's pump in short: opens streams, collects what comes, consumes it unless told not to. */
export class BrowserDouble {
  readonly mux = new Mux({ role: "opener" });
  readonly events: MuxEvent[] = [];
  consuming = true;
  readonly #channel: ChannelDouble;
  #waiting: { wanted: (event: MuxEvent) => boolean; resolve: (event: MuxEvent) => void }[] = [];

  constructor(channel: ChannelDouble) {
    this.#channel = channel;
    channel.listen({
      open: () => this.run(() => {}),
      message: (bytes) => this.run((mux) => mux.receive(0, bytes)),
      low: () => {},
      close: () => {},
    });
  }

  run<T>(call: (mux: Mux) => T): T {
    const result = call(this.mux);
    for (
      let out = this.mux.poll(CHANNEL_HIGH_BYTES);
      out !== undefined;
      out = this.mux.poll(CHANNEL_HIGH_BYTES)
    ) {
      if (out.type === "transmit") this.#channel.send(out.bytes);
      if (out.type === "event") this.#take(out.event);
    }
    return result;
  }

  open(head: Partial<RequestHead>): number {
    const whole = {
      kind: "http",
      service: "ui",
      method: "GET",
      path: "/",
      headers: [],
      ...head,
    } as const;
    return this.run((mux) => mux.open(0, whole));
  }

  /** The first event, past or future, that is wanted. */
  async next<T extends MuxEvent["type"]>(type: T, id: number): Promise<MuxEvent & { type: T }> {
    const wanted = (event: MuxEvent) => event.type === type && event.id === id;
    const found = this.events.find(wanted) ?? await new Promise<MuxEvent>((resolve) => {
      this.#waiting.push({ wanted, resolve });
    });
    return found as MuxEvent & { type: T };
  }

  text(id: number): string {
    const decoder = new TextDecoder();
    return this.events.map((event) =>
      event.type === "data" && event.id === id ? decoder.decode(event.bytes) : ""
    )
      .join("");
  }

  #take(event: MuxEvent): void {
    this.events.push(event);
    if (event.type === "data" && this.consuming) this.mux.consumed(0, event.id, event.bytes.length);
    for (const waiting of this.#waiting) if (waiting.wanted(event)) waiting.resolve(event);
  }
}

/** Services whose every method a test must give. */
export function servicesDouble(methods: Partial<Services>): Services {
  const missing = () => Promise.reject(new Error("Cannot serve: the test did not expect this"));
  return { list: () => [{ id: "ui", title: "UI" }], request: missing, socket: missing, ...methods };
}

/** Lets microtasks and the streams' own machinery run: everything here happens in memory. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
}
