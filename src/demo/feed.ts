import type { IncomingMessage, ServerResponse } from "node:http";
import { sendText } from "./reply.ts";

/** Events kept for browsers that come back: five minutes of readings and some switching. */
const KEPT_EVENTS = 400;

/** Browsers that listen at once. */
const LISTENERS = 64;

/** Bytes that may wait for one listener; who is further behind is cut off and resumes by its last id. */
const LISTENER_BUFFER_BYTES = 256 * 1024;

interface Event {
  readonly id: number;
  readonly text: string;
}

/** Server-sent events (HTML Standard 9.2): numbered, kept for a while, sent to whoever listens. */
export class Feed {
  readonly #events: Event[] = [];
  readonly #listeners = new Set<ServerResponse>();
  #lastId = 0;

  /** Sends an event to all who listen. `data` becomes one line of JSON. */
  publish(name: string, data: unknown): void {
    const id = ++this.#lastId;
    const event = { id, text: `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n` };
    this.#events.push(event);
    if (this.#events.length > KEPT_EVENTS) this.#events.shift();
    for (const listener of this.#listeners) this.#write(listener, event.text);
  }

  /** Answers with what was missed, or all that is kept, and then with what comes. */
  serve(request: IncomingMessage, response: ServerResponse): void {
    if (this.#listeners.size >= LISTENERS) return sendText(response, 503, "Too many listeners\n");
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    if (request.method === "HEAD") return void response.end();
    const last = Number(request.headers["last-event-id"] ?? 0);
    // An id from before a restart is higher than ours: everything is new then.
    const from = last > this.#lastId ? 0 : last;
    const missed = this.#events.filter(({ id }) => !(id <= from));
    response.write("retry: 1000\n\n" + missed.map(({ text }) => text).join(""));
    this.#listeners.add(response);
    response.on("close", () => this.#listeners.delete(response));
  }

  /** Ends all streams. */
  close(): void {
    for (const listener of this.#listeners) listener.end();
    this.#listeners.clear();
  }

  #write(listener: ServerResponse, text: string): void {
    if (listener.writableLength > LISTENER_BUFFER_BYTES) listener.destroy();
    else listener.write(text);
  }
}
