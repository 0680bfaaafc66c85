/**
 * How a page's thread and its worker share memory while the page waits for a synchronous request. The worker writes a
 * piece, the page takes it, and so on: first the answer's head as JSON, then its body, then an empty piece.
 */

/** Name of our worker among all that run our script. */
export const SYNC_WORKER_NAME = "porthole-sync";

/** Bytes that cross at once. */
const PIECE_BYTES = 256 << 10;
const NOTHING = 0;
const PIECE = 1;
const FAILED = 2;
/** The page waits no more. */
const GONE = 3;
/** How long the worker waits until the page has taken a piece, in ms: a page that was closed never does. */
const TAKE_LIMIT_MS = 60_000;

/** A request as it goes to the worker. A form is sent as its entries: FormData cannot be cloned. */
export interface SyncRequest {
  readonly method: string;
  readonly url: string;
  readonly referrer: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: SyncBody;
  readonly memory: SharedArrayBuffer;
}

export type SyncBody =
  | null
  | string
  | Blob
  | BufferSource
  | { readonly form: readonly (readonly [name: string, value: FormDataEntryValue])[] };

/** The head of an answer. */
export interface SyncHead {
  readonly status: number;
  readonly statusText: string;
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Memory for one request. */
export function makeMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(8 + PIECE_BYTES);
}

function views(memory: SharedArrayBuffer) {
  return { state: new Int32Array(memory, 0, 2), bytes: new Uint8Array(memory, 8) };
}

/** The worker's side: hands bytes over, piece by piece, and waits for the page to take each. Throws when it does not. */
export function hand(memory: SharedArrayBuffer, data: Uint8Array): void {
  const { state, bytes } = views(memory);
  for (let from = 0; from < data.length; from += PIECE_BYTES) {
    const piece = data.subarray(from, from + PIECE_BYTES);
    bytes.set(piece);
    put(state, PIECE, piece.length);
  }
  put(state, PIECE, 0);
}

/** The worker's side: there is no answer. Nobody waits then: the next request has memory of its own. */
export function handFailure(memory: SharedArrayBuffer): void {
  Atomics.store(views(memory).state, 0, FAILED);
}

function put(state: Int32Array, kind: number, length: number): void {
  state[1] = length;
  const isAwaited = Atomics.compareExchange(state, 0, NOTHING, kind) === NOTHING;
  if (!isAwaited || Atomics.wait(state, 0, kind, TAKE_LIMIT_MS) === "timed-out") {
    throw new Error("Cannot hand over an answer: the page waits no more");
  }
}

/** The page's side: all bytes up to the next empty piece; undefined when there is no answer, or none by `end`. */
export function takeAll(memory: SharedArrayBuffer, end: number): Uint8Array | undefined {
  const { state, bytes } = views(memory);
  const pieces: Uint8Array[] = [];
  for (;;) {
    // A page's thread may not sleep (ECMA-262 25.4.3.14): it looks again and again, as a synchronous request blocks it anyway.
    while (Atomics.load(state, 0) === NOTHING) {
      if (performance.now() > end) return giveUp(state);
    }
    if (Atomics.load(state, 0) === FAILED) return undefined;
    const piece = bytes.slice(0, state[1]);
    Atomics.store(state, 0, NOTHING);
    Atomics.notify(state, 0);
    if (piece.length === 0) return joined(pieces);
    pieces.push(piece);
  }
}

function giveUp(state: Int32Array): undefined {
  Atomics.store(state, 0, GONE);
  Atomics.notify(state, 0);
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
