/** A device that answers at the test's pace: it reads, writes and ends when it is told to. Its pages are those of a test. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Answerer } from "./pages_service.ts";

/** A step that somebody waits for, and somebody else takes. */
export class Step<T = void> {
  readonly #taken = Promise.withResolvers<T>();

  take(value: T): void {
    this.#taken.resolve(value);
  }

  get taken(): Promise<T> {
    return this.#taken.promise;
  }
}

/** How an upload ended, as the device saw it. */
export type UploadEnd = { readonly how: "whole" | "broken off"; readonly bytes: number };

/** An upload that is read to `readFirst` bytes, and on from there once `goOn` is taken. */
export class GatedUpload {
  readonly began = new Step();
  readonly goOn = new Step();
  readonly ended = new Step<UploadEnd>();
  bytes = 0;
  readonly #readFirst: number;

  constructor(readFirst: number) {
    this.#readFirst = readFirst;
  }

  readonly answer: Answerer = (request, response) => {
    let isWhole = false;
    request.on("error", () => {}); // it is closed as well
    request.on("close", () => this.#end(isWhole));
    request.on("end", () => {
      isWhole = true;
      response.end(String(this.bytes));
    });
    request.on("data", (part: Uint8Array) => {
      const waits = this.bytes < this.#readFirst;
      this.bytes += part.length;
      this.began.take();
      if (waits && this.bytes >= this.#readFirst) this.#pause(request);
    });
  };

  #pause(request: IncomingMessage): void {
    request.pause();
    this.goOn.taken.then(() => request.resume());
  }

  #end(isWhole: boolean): void {
    this.ended.take({ how: isWhole ? "whole" : "broken off", bytes: this.bytes });
  }
}

/** Answers no request, and tells when its connection ends. */
export class SilentAnswer {
  readonly began = new Step();
  readonly ended = new Step();

  readonly answer: Answerer = (request) => {
    this.began.take();
    request.on("error", () => {});
    request.on("close", () => this.ended.take());
    request.resume();
  };
}

/** Says `413` as soon as there is a body and closes its half; nothing more is read (RFC 9112 9.6). */
export class TooLarge {
  readonly ended = new Step();

  readonly answer: Answerer = (request, response) => {
    const { socket } = request;
    socket.destroySoon = () => void socket.end(); // node would reset the connection
    socket.on("close", () => this.ended.take());
    request.on("error", () => {});
    request.once("data", () => {
      request.pause();
      response.writeHead(413, { "connection": "close" });
      response.end("too large");
    });
  };
}

/** Sends `first`, and `last` once the step is taken. */
export function inTwoParts(
  type: string,
  { first, last, release }: { first: string; last: string; release: Promise<void> },
): Answerer {
  return (request, response) => {
    request.resume();
    response.writeHead(200, { "content-type": type, "cache-control": "no-store" });
    response.write(first);
    release.then(() => response.end(last));
  };
}

/** Serves so many at a time and lets the others wait. */
export class NarrowDevice {
  readonly #width: number;
  readonly #turnMs: number;
  readonly #waiting: (() => void)[] = [];
  #busy = 0;
  most = 0;

  constructor(width: number, turnMs: number) {
    this.#width = width;
    this.#turnMs = turnMs;
  }

  readonly answer: Answerer = (request, response) => {
    request.resume();
    this.#waiting.push(() => this.#serve(request.url ?? "", response));
    this.#next();
  };

  #next(): void {
    while (this.#busy < this.#width) {
      const serve = this.#waiting.shift();
      if (serve === undefined) return;
      this.#busy++;
      this.most = Math.max(this.most, this.#busy);
      serve();
    }
  }

  #serve(url: string, response: ServerResponse): void {
    setTimeout(() => {
      response.writeHead(200, { "connection": "close", "cache-control": "no-store" });
      response.end(url.padEnd(20_000, "."));
      response.once("close", () => {
        this.#busy--;
        this.#next();
      });
    }, this.#turnMs);
  }
}
