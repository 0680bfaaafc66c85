/**
 * Whom a device knows, as far as the device told us: the first bytes of the tags that its people's offers bear
 * (`src/trust/pass.ts`). Their offers need not pass by the strangers (`newcomers.ts`), so that no crowd of these, from
 * however many addresses, keeps them out. A tag proves nothing: whoever has one, its person or somebody who read it here,
 * comes as often as one person does and not oftener.
 */
import { type Bytes, fromBase64Url, toBase64Url } from "../lib/bytes.ts";
import { SHORT_TAG_BYTES } from "../protocol/signal.ts";
import type { Limits } from "./limits.ts";
import { KeyedBuckets } from "./token_bucket.ts";

/** PROTOCOL.md 3, M1: the first byte says that it is an offer, the epoch of a key follows, and then the tag. */
const OFFER = 1;
const TAG_OFFSET = 5;
/** Base64url of 15 bytes, the least that holds a short tag: the rest need not be decoded. */
const HEAD_CHARACTERS = 20;

/** The beginning of a sealed message, in base64url. */
function headOf(sealed: string): Bytes | undefined {
  return sealed.length < HEAD_CHARACTERS
    ? undefined
    : fromBase64Url(sealed.slice(0, HEAD_CHARACTERS));
}

/** Whether this begins as an offer does; other messages belong to one that was let through. */
export function isOffer(sealed: string): boolean {
  return headOf(sealed)?.[0] === OFFER;
}

/** The people of one device. */
export class People {
  readonly #rates: KeyedBuckets;
  /** 8 KiB at most; a set of texts would have ten times that, for each of 5,000 devices. */
  #tags = new BigUint64Array();

  constructor({ offersOfPerson, rememberedPeople }: Limits) {
    this.#rates = new KeyedBuckets(offersOfPerson, rememberedPeople);
  }

  /** From now on these are all. */
  replace(tags: Bytes): void {
    this.#tags = new BigUint64Array(tags.slice().buffer); // a copy begins where its buffer does
  }

  /** The person who makes this offer: a text that stands for its tag; undefined for a stranger and for no offer. */
  find(sealed: string): string | undefined {
    const head = headOf(sealed);
    if (head === undefined || head[0] !== OFFER) return undefined;
    const tag = head.slice(TAG_OFFSET, TAG_OFFSET + SHORT_TAG_BYTES);
    return this.#tags.includes(new BigUint64Array(tag.buffer)[0]!) ? toBase64Url(tag) : undefined;
  }

  /** Whether this person may make one more offer. */
  take(person: string, now: number): boolean {
    return this.#rates.take(person, now);
  }
}
