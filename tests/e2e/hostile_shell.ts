/**
 * A browser that goes hostile after the true handshake: the shell as it is, with its bulk channel kept from the pump, so
 * that a test writes raw bytes into it. Both channels can be written to.
 */
import type { BrowserContext, Page } from "playwright-core";
import type { Bytes } from "../../src/lib/bytes.ts";
import { type Frame, FrameParser } from "../../src/protocol/frame.ts";

/** How long an answer of the agent may take on a loaded machine. */
const LIMIT_MS = 30_000;
const LOOK_EVERY_MS = 20;

interface Kept {
  readonly channels: Map<string, RawChannel>;
  /** What came on the bulk channel. */
  readonly received: number[][];
}

interface RawChannel {
  readonly readyState: string;
  binaryType: string;
  onmessage: ((event: { data: ArrayBuffer }) => void) | null;
  send(data: Uint8Array<ArrayBuffer> | string): void;
}

/** The hands in such a page. */
export class HostileShell {
  readonly #page: Page;

  /** `page` is of a context in which `install` was called before. */
  constructor(page: Page) {
    this.#page = page;
  }

  /** All pages that this context opens from now on keep their channels. */
  static async install(context: BrowserContext): Promise<void> {
    await context.addInitScript(keepChannels);
  }

  /** Waits until the bulk channel is open, which is after both proofs. */
  async opened(): Promise<void> {
    await waitUntil(() =>
      this.#page.evaluate(() => {
        const { hostile } = globalThis as unknown as { hostile: Kept };
        return hostile.channels.get("bulk")?.readyState === "open";
      })
    );
  }

  /** Writes one message of bytes as they are. */
  async send(channel: "control" | "bulk", bytes: Bytes): Promise<void> {
    await this.#page.evaluate(({ channel, bytes }) => {
      const { hostile } = globalThis as unknown as { hostile: Kept };
      hostile.channels.get(channel)!.send(Uint8Array.from(bytes));
    }, { channel, bytes: Array.from(bytes) });
  }

  /** Waits for the first frame of this type on a stream. */
  async frame<Type extends Frame["type"]>(type: Type, id: number): Promise<Frame & { type: Type }> {
    let found: Frame | undefined;
    await waitUntil(async () => {
      const received = await this.#page.evaluate(() =>
        (globalThis as unknown as { hostile: Kept }).hostile.received
      );
      found = frames(received).find((frame) => frame.type === type && frame.id === id);
      return found !== undefined;
    });
    return found as Frame & { type: Type };
  }
}

function frames(messages: readonly (readonly number[])[]): Frame[] {
  const parser = new FrameParser();
  const found: Frame[] = [];
  for (const message of messages) {
    parser.push(Uint8Array.from(message));
    for (let frame = parser.next(); frame !== undefined; frame = parser.next()) found.push(frame);
  }
  return found;
}

async function waitUntil(reached: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + LIMIT_MS;
  while (!await reached()) {
    if (performance.now() > end) throw new Error("the agent did not do it in time");
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** Runs in the page before anything of it: remembers the channels, and never hands the bulk channel to the pump. */
function keepChannels(): void {
  interface Scope {
    hostile: Kept;
    RTCPeerConnection: {
      prototype: { createDataChannel(label: string, more: unknown): RawChannel };
    };
    Worker: { prototype: { postMessage(message: unknown, ...rest: unknown[]): void } };
  }
  const scope = globalThis as unknown as Scope;
  scope.hostile = { channels: new Map(), received: [] };
  const peer = scope.RTCPeerConnection.prototype;
  const create = peer.createDataChannel;
  peer.createDataChannel = function (label, more) {
    const channel = create.call(this, label, more);
    scope.hostile.channels.set(label, channel);
    if (label !== "bulk") return channel;
    channel.binaryType = "arraybuffer";
    channel.onmessage = ({ data }) => scope.hostile.received.push([...new Uint8Array(data)]);
    return channel;
  };
  const worker = scope.Worker.prototype;
  const post = worker.postMessage;
  worker.postMessage = function (message, ...rest) {
    if ((message as { type?: string }).type === "channel") return;
    post.call(this, message, ...rest);
  };
}
