import { Buffer } from "node:buffer";

/** Bytes of the head of one part. Browsers write less than 300. */
const PART_HEAD_LIMIT_BYTES = 8192;
const NAME_LIMIT_CHARACTERS = 255;

/** delimiter -> head -> file -> complete; a part that is no file leads back to delimiter. */
type State = "delimiter" | "head" | "file" | "complete" | "failed";

/** Finds the first file in a multipart form (RFC 7578) while it streams by, and holds back no more than a delimiter. */
export class FilePart {
  readonly #delimiter: Buffer;
  readonly #take: (bytes: Uint8Array) => void;
  #held = Buffer.from("\r\n"); // the first delimiter has no line before it
  #state: State = "delimiter";
  #name = "";

  constructor(boundary: string, take: (bytes: Uint8Array) => void) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, "latin1");
    this.#take = take;
  }

  get state(): State {
    return this.#state;
  }

  /** What the browser calls the file; to be shown only. */
  get name(): string {
    return this.#name;
  }

  /** The next bytes of the form. Call for all of them. */
  push(chunk: Uint8Array): void {
    if (this.#state === "complete" || this.#state === "failed") return;
    this.#held = Buffer.concat([this.#held, chunk]);
    while (this.#step());
  }

  /** One move; false when more bytes are needed or nothing is left to do. */
  #step(): boolean {
    switch (this.#state) {
      case "delimiter":
        return this.#content(() => this.#state = "head");
      case "file":
        return this.#content(() => this.#state = "complete");
      case "head":
        return this.#head();
      default:
        return false;
    }
  }

  #content(end: () => void): boolean {
    const at = this.#held.indexOf(this.#delimiter);
    const length = at < 0 ? Math.max(0, this.#held.length - this.#delimiter.length + 1) : at;
    if (this.#state === "file" && length > 0) this.#take(this.#held.subarray(0, length));
    if (at >= 0) end();
    this.#held = this.#held.subarray(at < 0 ? length : at + this.#delimiter.length);
    return at >= 0;
  }

  #head(): boolean {
    const end = this.#held.indexOf("\r\n\r\n");
    const isLast = this.#held.subarray(0, 2).equals(Buffer.from("--"));
    if (isLast || (end < 0 && this.#held.length > PART_HEAD_LIMIT_BYTES)) this.#state = "failed";
    if (this.#state === "failed" || end < 0) return false;
    const head = this.#held.subarray(0, end).toString("utf8");
    const [, name] = /^content-disposition:.*\bfilename="((?:[^"\\]|\\.)*)"/im.exec(head) ?? [];
    this.#held = this.#held.subarray(end + 4);
    if (name !== undefined) this.#name = name.slice(0, NAME_LIMIT_CHARACTERS);
    this.#state = name === undefined ? "delimiter" : "file";
    return true;
  }
}
