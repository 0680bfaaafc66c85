/**
 * A request's body as a stream, with its length where that can be had: many small devices take no chunked uploads
 * (RFC 9112 7.1), so a body that is short or already in memory goes out with a Content-Length.
 */

/** A body on its way up. */
export interface RequestBody {
  /** Null when there is none. */
  readonly stream: ReadableStream<Uint8Array> | null;
  /** In bytes; undefined while it is not known. */
  readonly length?: number | undefined;
}

/** Where the browser gives no stream, it keeps the blob, mostly on disk; beyond this an upload is refused, in bytes. */
const MAX_BLOB_BYTES = 1 << 30;
/** How much of a stream is read ahead to learn its length: forms and JSON, not firmware. In bytes. */
const LOOK_AHEAD_BYTES = 1 << 20;
/** How long that may take, in ms: a page that writes slowly streams. */
const LOOK_AHEAD_MS = 200;

/**
 * Takes the body of a request. Call it before any `await`: Firefox has no body afterwards (browser-proxying.md 1.3).
 * Undefined for one that is too large to hold.
 */
export async function takeBody(request: Request): Promise<RequestBody | undefined> {
  if (request.method === "GET" || request.method === "HEAD") return { stream: null };
  if (request.body === null) return { stream: null, length: 0 };
  if (request.body !== undefined) return await lookAhead(request.body);
  const blob = await request.blob(); // Firefox: Request.body is not there
  if (blob.size > MAX_BLOB_BYTES) return undefined;
  return { stream: blob.size > 0 ? blob.stream() : null, length: blob.size };
}

/** Reads a stream's beginning, in the hope of its end. */
export async function lookAhead(body: ReadableStream<Uint8Array>): Promise<RequestBody> {
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  const limit = deadline(LOOK_AHEAD_MS);
  let length = 0;
  let pending = reader.read();
  try {
    while (length <= LOOK_AHEAD_BYTES) {
      const result = await Promise.race([pending, limit.passed]);
      if (result === undefined) break;
      if (result.done) return { stream: rest(chunks, { reader, pending }), length };
      chunks.push(result.value);
      length += result.value.length;
      pending = reader.read();
    }
  } finally {
    limit.clear();
  }
  return { stream: rest(chunks, { reader, pending }) };
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;
type Read = ReturnType<Reader["read"]>;

/** What was read, then what is still to come. */
function rest(
  chunks: Uint8Array[],
  source: { reader: Reader; pending: Read },
): ReadableStream<Uint8Array> {
  let { pending } = source;
  return new ReadableStream({
    async pull(controller) {
      const chunk = chunks.shift();
      if (chunk !== undefined) return controller.enqueue(chunk);
      const { done, value } = await pending;
      if (done) return controller.close();
      pending = source.reader.read();
      pending.catch(() => {}); // told to whoever pulls next
      controller.enqueue(value);
    },
    cancel: (reason) => source.reader.cancel(reason),
  }, { highWaterMark: 0 });
}

function deadline(milliseconds: number): { passed: Promise<undefined>; clear(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const passed = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), milliseconds);
  });
  return { passed, clear: () => clearTimeout(timer) };
}
