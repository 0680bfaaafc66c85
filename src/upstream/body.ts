/** Bodies, from Node's streams to the web's and back. Both ways a reader that stops holds its writer back. */
import type { ClientRequest } from "node:http";
import type { Readable } from "node:stream";
import { type Bytes, concat } from "../lib/bytes.ts";
import { StreamError } from "../protocol/errors.ts";
import { failureOf } from "./failure.ts";
import { DRAIN_LIMIT_BYTES, DRAIN_LIMIT_MS } from "./limits.ts";

/**
 * A stream that reads only when pulled: while nobody pulls, `source` is paused, at most its own buffer (64 KiB) is read
 * ahead and the service's socket blocks. Cancelling destroys the source. Breaking off is an error, never an end.
 * `over` is called once, whatever ended it.
 */
export function pulledStream(source: Readable, over: () => void): ReadableStream<Bytes> {
  let ended = false;
  const finish = (act: () => void) => {
    if (ended) return;
    ended = true;
    over();
    act();
  };
  return new ReadableStream<Bytes>({
    start(controller) {
      const fail = (error: unknown) =>
        finish(() => controller.error(failureOf(error, "read the service's answer")));
      source.on("data", (chunk: Uint8Array) => {
        source.pause();
        if (!ended && chunk.length > 0) controller.enqueue(ownBytes(chunk));
        else source.resume();
      });
      source.on("end", () => finish(() => controller.close()));
      source.on("error", fail);
      source.on("close", () => fail(new Error("broken off")));
      source.pause();
      if (source.destroyed) fail(source.errored ?? new Error("broken off"));
    },
    pull() {
      source.resume();
    },
    cancel() {
      finish(() => source.destroy());
    },
  }, { highWaterMark: 0 });
}

/** Small chunks are slices of a pool that Node shares between sockets; those are copied. */
function ownBytes(chunk: Uint8Array): Bytes {
  const isWhole = chunk.buffer instanceof ArrayBuffer && chunk.length === chunk.buffer.byteLength;
  return isWhole ? new Uint8Array(chunk.buffer as ArrayBuffer) : new Uint8Array(chunk);
}

/** Told when it is the service's turn to act, and when it no longer is. */
export interface Turns {
  serviceActs(): void;
  browserActs(): void;
}

/**
 * Writes a body to the service and ends the request. `length` is what the head promised: one byte more would be read
 * as a second request, so a body of another length is an error. Rejects with a StreamError; the caller destroys then.
 */
export async function upload(
  body: ReadableStream<Bytes>,
  request: ClientRequest,
  { length, turns }: { length: number | undefined; turns: Turns },
): Promise<void> {
  const reader = body.getReader();
  const giveUp = () => void reader.cancel().catch(() => {}); // its owner knows that it failed
  request.once("close", giveUp);
  let written = 0;
  for (;;) {
    turns.browserActs();
    const { done, value } = await reader.read();
    if (request.destroyed) return giveUp();
    if (done) break;
    written += value.length;
    if (length !== undefined && written > length) throw wrongLength(written, length);
    turns.serviceActs();
    if (value.length > 0 && !request.write(value)) await drained(request);
  }
  if (length !== undefined && written < length) throw wrongLength(written, length);
  turns.serviceActs();
  request.end();
}

function wrongLength(written: number, length: number): StreamError {
  return new StreamError(
    "protocol",
    `Cannot send a request's body: ${written} bytes or more of ${length} promised`,
  );
}

function drained(request: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      request.off("drain", done);
      request.off("close", done);
      resolve();
    };
    request.on("drain", done);
    request.on("close", done);
    if (request.destroyed) done();
  });
}

/** A whole body of at most `limit` bytes; undefined, and the rest given up, for a longer one. */
export async function bufferedBody(
  body: ReadableStream<Bytes>,
  limit: number,
): Promise<Bytes | undefined> {
  const reader = body.getReader();
  const parts: Bytes[] = [];
  let length = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    length += part.value.length;
    if (length > limit) {
      await reader.cancel();
      return undefined;
    }
    parts.push(part.value);
  }
  return concat(...parts);
}

/**
 * Reads away a body that nobody wants, so that its connection can be used again. One that is long or slow is given up,
 * and its connection with it. Never throws.
 */
export function drain(body: ReadableStream<Bytes>): void {
  const reader = body.getReader();
  const giveUp = () => void reader.cancel().catch(() => {}); // it broke off already
  const timer = setTimeout(giveUp, DRAIN_LIMIT_MS);
  let length = 0;
  const next = ({ done, value }: ReadableStreamReadResult<Bytes>): Promise<void> | void => {
    if (done) return;
    length += value.length;
    return length > DRAIN_LIMIT_BYTES ? giveUp() : reader.read().then(next);
  };
  reader.read().then(next)
    .catch(() => {}) // it broke off: nobody wanted it
    .finally(() => clearTimeout(timer));
}
