import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { sendText } from "./reply.ts";

/** Bytes of the test file: 20 MB as shops count them. */
export const DOWNLOAD_BYTES = 20_000_000;

const BLOCK_BYTES = 64 * 1024;
const TAG = '"20mb-1"';

/** Inclusive, as in the header. */
interface Range {
  readonly first: number;
  readonly last: number;
}

/** The test file: looks random, so that no compression flatters a measurement, and is the same every time. */
export class Download {
  #digest: Promise<string> | undefined;

  /** Answers with the file or a range of it; one that is not read is not generated either. */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const isCurrent = (request.headers["if-range"] ?? TAG) === TAG;
    const range = isCurrent ? readRange(request.headers.range) : "whole";
    if (range === "unsatisfiable") {
      response.setHeader("Content-Range", `bytes */${DOWNLOAD_BYTES}`);
      return sendText(response, 416, "No such range\n");
    }
    const part = range === "whole" ? { first: 0, last: DOWNLOAD_BYTES - 1 } : range;
    response.writeHead(range === "whole" ? 200 : 206, {
      "Content-Type": "application/octet-stream",
      "Content-Disposition": 'attachment; filename="20mb.bin"',
      "Content-Length": part.last - part.first + 1,
      "Accept-Ranges": "bytes",
      "Cache-Control": "no-cache",
      "ETag": TAG,
      ...(range !== "whole" && {
        "Content-Range": `bytes ${part.first}-${part.last}/${DOWNLOAD_BYTES}`,
      }),
    });
    if (request.method !== "HEAD") await writeBlocks(response, part);
    response.end();
  }

  /** Answers with the SHA-256 of the whole, in the form of sha256sum(1). */
  async serveDigest(response: ServerResponse): Promise<void> {
    this.#digest ??= digestOfWhole();
    sendText(response, 200, `${await this.#digest}  20mb.bin\n`);
  }
}

/** A header that is not understood is ignored (RFC 9110 14.2), several ranges likewise. */
function readRange(header: string | undefined): Range | "whole" | "unsatisfiable" {
  const [, from, to] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "") ?? [];
  if (from === undefined || to === undefined || from + to === "") return "whole";
  const end = DOWNLOAD_BYTES - 1;
  const range = from === ""
    ? { first: Math.max(0, DOWNLOAD_BYTES - Number(to)), last: end }
    : { first: Number(from), last: to === "" ? end : Math.min(Number(to), end) };
  if (range.first > end || (from === "" && Number(to) === 0)) return "unsatisfiable";
  return range.first > range.last ? "whole" : range;
}

async function writeBlocks(response: ServerResponse, { first, last }: Range): Promise<void> {
  for (let offset = first; offset <= last && !response.destroyed;) {
    const index = Math.floor(offset / BLOCK_BYTES);
    const start = index * BLOCK_BYTES;
    const bytes = block(index).subarray(offset - start, last + 1 - start);
    offset += bytes.length;
    if (!response.write(bytes)) await drained(response);
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.on("drain", done);
    response.on("close", done);
    if (response.destroyed) done();
  });
}

/** One block of the file, by xorshift32 (Marsaglia 2003) from a seed of its own: ranges need nothing before them. */
function block(index: number): Uint8Array {
  const words = new DataView(new ArrayBuffer(BLOCK_BYTES));
  let state = (index + 1) * 0x9e3779b9 | 0;
  for (let offset = 0; offset < BLOCK_BYTES; offset += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words.setInt32(offset, state, true);
  }
  return new Uint8Array(words.buffer);
}

async function digestOfWhole(): Promise<string> {
  const hash = createHash("sha256");
  for (let offset = 0; offset < DOWNLOAD_BYTES; offset += BLOCK_BYTES) {
    hash.update(block(offset / BLOCK_BYTES).subarray(0, DOWNLOAD_BYTES - offset));
    await new Promise((resolve) => setImmediate(resolve)); // others want to be served meanwhile
  }
  return hash.digest("hex");
}
