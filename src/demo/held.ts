/** Two answers that no device should give, for tests: one that stops in the middle, one that never stops. */
import type { ServerResponse } from "node:http";
import { sendText } from "./reply.ts";

/** Pages held back at once. */
const HELD_PAGES = 16;

/** Milliseconds after which a page is released by itself. */
const HOLD_LIMIT_MS = 5 * 60 * 1000;

const FIRST = `<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Slow page</title>
<link rel="stylesheet" href="/workshop.css"><h1 id="first">The first half is here</h1>
`;
const LAST = `<p id="last">And this is the second half.</p></html>\n`;

/** Pages whose first half is sent at once and whose second half waits to be released. */
export class HeldPages {
  readonly #releases = new Set<() => void>();

  /** Sends the first half. */
  serve(response: ServerResponse): void {
    if (this.#releases.size >= HELD_PAGES) return sendText(response, 503, "Too many held pages\n");
    response.writeHead(200, {
      "Content-Type": "text/html; charset=utf-8",
      "Cache-Control": "no-store",
    });
    response.write(FIRST);
    const release = () => {
      clearTimeout(timer);
      this.#releases.delete(release);
      response.end(LAST);
    };
    const timer = setTimeout(release, HOLD_LIMIT_MS);
    this.#releases.add(release);
    response.on("close", () => {
      clearTimeout(timer);
      this.#releases.delete(release);
    });
  }

  /** Sends the second half of all pages; gives how many there were. */
  release(): number {
    const count = this.#releases.size;
    for (const release of [...this.#releases]) release();
    return count;
  }

  close(): void {
    this.release();
  }
}

const BLOCK = new Uint8Array(64 * 1024).fill(0x2e);

/** Streams without an end. What is counted is what was handed to the system, which stops when nobody reads. */
export class Endless {
  #written = 0;
  #open = 0;

  /** Bytes of all streams so far, and how many streams are open. */
  get counts(): { readonly written: number; readonly open: number } {
    return { written: this.#written, open: this.#open };
  }

  /** Writes until the reader goes away. */
  serve(response: ServerResponse): void {
    response.writeHead(200, {
      "Content-Type": "application/octet-stream",
      "Cache-Control": "no-store",
    });
    if (response.req.method === "HEAD") return void response.end();
    this.#open++;
    response.on("close", () => this.#open--);
    const write = () => {
      if (response.destroyed) return;
      this.#written += BLOCK.length;
      // One block a turn, so that other requests are served in between.
      if (response.write(BLOCK)) setImmediate(write);
      else response.once("drain", write);
    };
    write();
  }
}
