/**
 * The pictures of a `multipart/x-mixed-replace` answer, which is how cameras send MJPEG over HTTP
 * (RFC 2046 5.1). Lenient where cameras are careless: the boundary may lack its dashes, lengths may
 * be missing. Pure.
 */
import { Buffer } from "node:buffer";
import { CameraError } from "../source.ts";

/** One picture; a JPEG of an 8K camera stays below. */
export const MAX_PICTURE_BYTES = 8 * 1024 * 1024;
const MAX_PART_HEAD_BYTES = 8 * 1024;
const FIRST_CAPACITY_BYTES = 64 * 1024;
const HEAD_END = /\r?\n\r?\n/;

/** The boundary that a Content-Type names; undefined for another type. */
export function boundaryOf(contentType: string): string | undefined {
  if (!/^\s*multipart\//i.test(contentType)) return undefined;
  const [, quoted, plain] = /;\s*boundary\s*=\s*(?:"([^"]{1,200})"|([^\s;]{1,200}))/i
    .exec(contentType) ?? [];
  return (quoted ?? plain)?.replace(/^-+/, "");
}

type State =
  | { readonly at: "head" }
  | { readonly at: "counted"; readonly length: number }
  | { readonly at: "uncounted" };

export class MultipartReader {
  readonly #boundary: Buffer;
  /** Grows by doubling: a camera that sends byte by byte must not cost a copy of the picture each. */
  #buffer = Buffer.alloc(FIRST_CAPACITY_BYTES);
  #start = 0;
  #end = 0;
  #state: State = { at: "head" };
  #searched = 0;

  /** Without the leading dashes. */
  constructor(boundary: string) {
    this.#boundary = Buffer.from(`--${boundary}`, "latin1");
  }

  /** Takes the next bytes and gives the pictures that they complete. Throws a CameraError `broken`. */
  push(chunk: Uint8Array): Uint8Array[] {
    this.#append(chunk);
    const pictures: Uint8Array[] = [];
    for (let more = true; more;) {
      const before = this.#state;
      const picture = this.#next();
      if (picture !== undefined && picture.length > 0) pictures.push(picture);
      more = this.#state !== before;
    }
    if (this.#held.length > MAX_PICTURE_BYTES) throw broken("one picture is above the limit");
    return pictures;
  }

  get #held(): Buffer {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  #append(chunk: Uint8Array): void {
    const held = this.#end - this.#start;
    if (this.#end + chunk.length > this.#buffer.length) {
      const isRoomy = held + chunk.length <= this.#buffer.length / 2;
      const larger = isRoomy
        ? this.#buffer
        : Buffer.alloc(Math.max(held + chunk.length, 2 * this.#buffer.length));
      this.#buffer.copy(larger, 0, this.#start, this.#end);
      this.#buffer = larger;
      [this.#start, this.#end] = [0, held];
    }
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  #next(): Uint8Array | undefined {
    switch (this.#state.at) {
      case "head":
        return this.#takeHead();
      case "counted":
        return this.#takeCounted(this.#state.length);
      case "uncounted":
        return this.#takeUncounted();
    }
  }

  #takeHead(): undefined {
    const boundary = this.#held.indexOf(this.#boundary);
    if (boundary < 0) {
      this.#keepFrom(Math.max(0, this.#held.length - this.#boundary.length));
      return;
    }
    const head = this.#held.subarray(boundary, boundary + MAX_PART_HEAD_BYTES).toString("latin1");
    const end = HEAD_END.exec(head);
    if (end === null) {
      if (head.length === MAX_PART_HEAD_BYTES) throw broken("a part's head is above the limit");
      return;
    }
    this.#keepFrom(boundary + end.index + end[0].length);
    const length = Number(
      /^content-length:\s*(\d{1,9})\s*$/im.exec(head.slice(0, end.index))?.[1] ?? 0,
    );
    if (length > MAX_PICTURE_BYTES) throw broken("one picture is above the limit");
    this.#state = length > 0 ? { at: "counted", length } : { at: "uncounted" };
  }

  #takeCounted(length: number): Uint8Array | undefined {
    if (this.#held.length < length) return undefined;
    return this.#give(length);
  }

  /** Up to the next boundary, whatever line end stands in front of it. */
  #takeUncounted(): Uint8Array | undefined {
    const boundary = this.#held.indexOf(this.#boundary, this.#searched);
    if (boundary >= 0) return this.#give(boundary);
    this.#searched = Math.max(0, this.#held.length - this.#boundary.length);
    return undefined;
  }

  #give(length: number): Uint8Array {
    const picture = new Uint8Array(this.#held.subarray(0, length));
    this.#keepFrom(length);
    this.#state = { at: "head" };
    return picture;
  }

  #keepFrom(start: number): void {
    this.#start += start;
    this.#searched = 0;
  }
}

/** Begins as JPEG does (SOI and a marker) and has an end; what may follow is cut off. */
export function asJpeg(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8 || bytes[2] !== 0xff) return undefined;
  const end = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .lastIndexOf(Buffer.of(0xff, 0xd9));
  return end < 0 ? undefined : bytes.subarray(0, end + 2);
}

function broken(reason: string): CameraError {
  return new CameraError("broken", `Cannot read pictures: ${reason}`);
}
