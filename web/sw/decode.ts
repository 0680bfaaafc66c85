/** Undoes a body's coding as browsers do on the network, which are laxer than their `DecompressionStream`. */
import type { Bytes } from "../../src/lib/bytes.ts";
import type { ContentCoding } from "./headers.ts";

/** Nothing, compressed (RFC 1952, RFC 1950). */
const NOTHING: Readonly<Record<ContentCoding, Bytes>> = {
  gzip: Uint8Array.of(31, 139, 8, 0, 0, 0, 0, 0, 0, 255, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0),
  deflate: Uint8Array.of(0x78, 0x9c, 3, 0, 0, 0, 0, 1),
};

/** The content of a body; servers leave one empty although they name a coding. */
export function decode(
  body: ReadableStream<Bytes>,
  coding: ContentCoding | undefined,
): ReadableStream<Bytes> {
  if (coding === undefined) return body;
  return body.pipeThrough(somethingOr(NOTHING[coding])).pipeThrough(
    new DecompressionStream(coding),
  );
}

function somethingOr(bytes: Bytes): TransformStream<Bytes, Bytes> {
  let isEmpty = true;
  return new TransformStream({
    transform(chunk, controller) {
      isEmpty &&= chunk.length === 0;
      controller.enqueue(chunk);
    },
    flush(controller) {
      if (isEmpty) controller.enqueue(bytes);
    },
  });
}
