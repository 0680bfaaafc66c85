/** A test double of two data channels that are connected: messages arrive in later microtasks, in order. */
import type { DriverChannel } from "../pump/channel_driver.ts";

/** One end. `hold` stops delivery from this end, so that `bufferedAmount` grows; `resume` goes on. */
export class PairedChannel implements DriverChannel {
  peer!: PairedChannel; // set by `channelPair`
  readyState = "open";
  bufferedAmount = 0;
  binaryType = "blob";
  bufferedAmountLowThreshold = 0;
  onopen: ((event: Event) => unknown) | null = null;
  onmessage: ((event: MessageEvent) => unknown) | null = null;
  onbufferedamountlow: ((event: Event) => unknown) | null = null;
  onclose: ((event: Event) => unknown) | null = null;
  #queue: Uint8Array<ArrayBuffer>[] = [];
  #held = false;

  send(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.readyState !== "open") throw new DOMException("not open", "InvalidStateError");
    this.bufferedAmount += bytes.length;
    this.#queue.push(bytes.slice());
    queueMicrotask(() => this.#deliver());
  }

  hold(): void {
    this.#held = true;
  }

  resume(): void {
    this.#held = false;
    this.#deliver();
  }

  /** Says something that no driver would. */
  inject(data: unknown): void {
    this.peer.onmessage?.(new MessageEvent("message", { data }));
  }

  close(): void {
    if (this.readyState === "closed") return;
    this.readyState = "closed";
    queueMicrotask(() => this.onclose?.(new Event("close")));
    queueMicrotask(() => this.peer.close());
  }

  #deliver(): void {
    while (!this.#held && this.#queue.length > 0) {
      const bytes = this.#queue.shift()!; // the loop's condition
      this.bufferedAmount -= bytes.length;
      this.peer.onmessage?.(new MessageEvent("message", { data: bytes.buffer }));
    }
    if (this.bufferedAmount <= this.bufferedAmountLowThreshold) {
      this.onbufferedamountlow?.(new Event("bufferedamountlow"));
    }
  }
}

/** Two ends. */
export function channelPair(): [PairedChannel, PairedChannel] {
  const near = new PairedChannel();
  const far = new PairedChannel();
  near.peer = far;
  far.peer = near;
  return [near, far];
}
