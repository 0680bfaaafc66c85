/**
 * A digest of bytes that come in pieces, for transfers that are too large to keep: SHA-256 over
 * blocks, each with the digest of those before it in front. WebCrypto alone, so that a page and
 * Deno run the same file with the implementations of two projects.
 */
import { toHex } from "../../src/lib/bytes.ts";

const BLOCK_BYTES = 1 << 20;
const DIGEST_BYTES = 32;

export class BlockDigest {
  #before: Promise<ArrayBuffer> = Promise.resolve(new ArrayBuffer(DIGEST_BYTES));
  #block = new Uint8Array(DIGEST_BYTES + BLOCK_BYTES);
  #length = DIGEST_BYTES;
  /** Blocks that have been digested, to be filled again. */
  readonly #free: Uint8Array<ArrayBuffer>[] = [];

  /** Takes a copy. */
  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + this.#block.length - this.#length);
      this.#block.set(part, this.#length);
      this.#length += part.length;
      at += part.length;
      if (this.#length === this.#block.length) this.#finish();
    }
  }

  /** Resolves when no block waits: the pieces may come faster than they are digested. */
  async ready(): Promise<void> {
    await this.#before;
  }

  /** The digest of all of it, as hexadecimal digits. To be called once, at the end. */
  async hex(): Promise<string> {
    this.#finish();
    return toHex(new Uint8Array(await this.#before));
  }

  #finish(): void {
    const [whole, length] = [this.#block, this.#length];
    this.#before = this.#before.then(async (before) => {
      whole.set(new Uint8Array(before));
      const digest = await crypto.subtle.digest("SHA-256", whole.subarray(0, length));
      this.#free.push(whole);
      return digest;
    });
    this.#block = this.#free.pop() ?? new Uint8Array(whole.length);
    this.#length = DIGEST_BYTES;
  }
}
