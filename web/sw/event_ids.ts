/**
 * Server-sent events that reconnect: Chromium does not show a service worker the Last-Event-ID that it sends on the network.
 * So the ids are read from the streams as they pass, and said again with the next request of the same EventSource, which
 * web/inject/event_sources.ts gives a mark in its address. Lost with the worker: then a device starts anew.
 */
import { type Bytes, utf8 } from "../../src/lib/bytes.ts";
import type { StreamHead } from "./port_messages.ts";

/** What a marked address ends with, before a number. */
export const EVENTS_MARK = "#porthole-events-";

/** Streams that are remembered: those of a few tabs. */
const MAX_STREAMS = 128;

/** Characters of a line that are looked at; a longer id is none. */
const MAX_LINE_CHARACTERS = 1024;

/** See the head of this file. */
export class EventIds {
  readonly #last = new Map<string, string>();

  /** Names the stream of a request; undefined for what is no EventSource of a page's that marks them. */
  keyOf(url: string, page: string): string | undefined {
    return url.includes(EVENTS_MARK) && page !== "" ? `${page} ${url}` : undefined;
  }

  /** A request with the id of the last event before it, if it says none itself. */
  resumed(head: StreamHead, key: string | undefined): StreamHead {
    const id = key === undefined ? undefined : this.#last.get(key);
    const isSaid = head.headers.some(([name]) => name.toLowerCase() === "last-event-id");
    if (id === undefined || id === "" || isSaid) return head;
    return { ...head, headers: [...head.headers, ["last-event-id", byteString(id)]] };
  }

  /** Passes a stream on and remembers its ids. */
  reading(key: string): TransformStream<Bytes, Bytes> {
    const decoder = new TextDecoder();
    const reader = new IdReader((id) => this.#remember(key, id));
    return new TransformStream({
      transform(chunk, controller) {
        reader.push(decoder.decode(chunk, { stream: true }));
        controller.enqueue(chunk);
      },
    });
  }

  #remember(key: string, id: string): void {
    this.#last.delete(key);
    this.#last.set(key, id);
    for (const oldest of this.#last.keys()) {
      if (this.#last.size <= MAX_STREAMS) break;
      this.#last.delete(oldest);
    }
  }
}

/** Ids of an event stream, each told with the end of its event (HTML 9.2.6). */
class IdReader {
  readonly #told: (id: string) => void;
  #rest = "";
  #id: string | undefined;

  constructor(told: (id: string) => void) {
    this.#told = told;
  }

  push(text: string): void {
    const all = this.#rest + text;
    const lines = all.split(/\r\n|\n|\r(?!$)/); // the other half of a last "\r" may be still to come
    this.#rest = lines.pop()!.slice(0, MAX_LINE_CHARACTERS + 1); // split gives at least one item
    if (all.endsWith("\r") && !this.#rest.endsWith("\r")) this.#rest += "\r";
    for (const line of lines) this.#line(line);
  }

  #line(line: string): void {
    if (line === "") {
      if (this.#id !== undefined) this.#told(this.#id);
      this.#id = undefined;
      return;
    }
    const [, value = ""] = /^id(?:: ?(.*))?$/s.exec(line) ?? [undefined, "\0"];
    if (!value.includes("\0") && line.length <= MAX_LINE_CHARACTERS) this.#id = value;
  }
}

/** UTF-8, as header values are written. */
function byteString(text: string): string {
  return Array.from(utf8(text), (byte) => String.fromCharCode(byte)).join("");
}
