/**
 * A worker's way to a stream. Browsers give workers no way to hand a port to a service worker, but every worker's fetch
 * reaches it: so the service worker holds the stream's port, and both talk over a channel that only they can name
 * (web/sw/worker_sockets.ts). No page takes part: a shared worker keeps its sockets while pages come, go and reload.
 *
 *   StreamPort -- port -- openByFetch -- BroadcastChannel -- service worker -- port -- pump
 *                              `-- fetch: its answer lasts as long as the stream, so each end sees the other's death
 */
import { isRecord, SOCKET_PATH, type StreamHead, type ToPump } from "../sw/port_messages.ts";

/** How long the last word may take after the answer has ended, in ms: it travels another way. */
const LAST_WORD_MS = 1000;

/** Opens streams with this `fetch`, which must be the browser's own. */
export function openByFetch(
  fetch: typeof globalThis.fetch,
  origin: string,
): (head: StreamHead, port: MessagePort) => void {
  return (head, port) => new FetchedStream(head, port).run((body) => post(fetch, origin, body));
}

async function post(fetch: typeof globalThis.fetch, origin: string, body: string) {
  const answer = await fetch(origin + SOCKET_PATH, { method: "POST", body });
  if (!answer.ok || answer.body === null) {
    throw new TypeError(`Cannot open a WebSocket: status ${answer.status}`);
  }
  return answer.body.getReader();
}

class FetchedStream {
  readonly #port: MessagePort;
  readonly #head: StreamHead;
  readonly #name = crypto.randomUUID();
  readonly #channel = new BroadcastChannel(this.#name);
  /** What was said before the service worker listened. */
  #early: ToPump[] | undefined = [];
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #state: "open" | "over" = "open";

  constructor(head: StreamHead, port: MessagePort) {
    this.#head = head;
    this.#port = port;
  }

  run(post: (body: string) => Promise<ReadableStreamDefaultReader<Uint8Array>>): void {
    this.#channel.onmessage = ({ data }) => this.#down(data);
    this.#port.onmessage = ({ data }) => this.#up(data);
    post(JSON.stringify({ channel: this.#name, head: this.#head })).then(
      (reader) => this.#opened(reader),
      () => this.#fail(),
    );
  }

  #opened(reader: ReadableStreamDefaultReader<Uint8Array>): void {
    this.#reader = reader;
    for (const message of this.#early ?? []) this.#channel.postMessage(message);
    this.#early = undefined;
    if (this.#state === "over") return this.#end();
    this.#watch(reader).then(
      () => setTimeout(() => this.#fail(), LAST_WORD_MS),
      () => this.#fail(),
    );
  }

  async #watch(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    while (!(await reader.read()).done);
  }

  #up(message: ToPump): void {
    if (this.#early !== undefined) this.#early.push(message); // bounded: no credit has come yet
    else this.#channel.postMessage(message);
    if (message.type === "cancel") this.#end();
  }

  #down(message: unknown): void {
    this.#port.postMessage(message);
    if (isRecord(message) && (message.type === "end" || message.type === "error")) this.#end();
  }

  #fail(): void {
    if (this.#state === "over") return;
    this.#down({ type: "error", code: "session_closed" });
  }

  #end(): void {
    this.#state = "over";
    if (this.#early !== undefined && this.#reader === undefined) return; // `#opened` says it, then ends
    this.#reader?.cancel().catch(() => {}); // it may have failed already
    this.#channel.close();
  }
}
