/**
 * Makes every offer good for one time, without a clock (security.md 1.4): an offer names the boot nonce of a presence, and
 * the session ids seen under a nonce are kept. When they become too many the nonce changes; the last one stays good, with
 * its ids, until the next change. What names an older one is stale.
 */
import { type Bytes, equalBytes, toHex } from "../lib/bytes.ts";
import { randomBytes } from "../trust/digest.ts";
import { BOOT_NONCE_BYTES } from "../trust/presence.ts";

/** Session ids after which the nonce changes: at one offer a second, eight minutes. */
export const SEEN_UNTIL_CHANGE = 512;
/** Session ids under one nonce at most: room for offers that still name the previous one. */
export const MAX_SEEN = 1024;

interface Generation {
  readonly nonce: Bytes;
  readonly seen: Set<string>;
}

/** Boot nonces of one run, the current one first. */
export class ReplayGuard {
  #generations: readonly Generation[] = [newGeneration()];

  get nonces(): readonly Bytes[] {
    return this.#generations.map((generation) => generation.nonce);
  }

  /** Whether this offer is new. It is not from now on. May change the current nonce. */
  admit(offer: { readonly bootNonce: Bytes; readonly sessionId: Bytes }): boolean {
    const generation = this.#generations.find(({ nonce }) => equalBytes(nonce, offer.bootNonce));
    const id = toHex(offer.sessionId);
    if (generation === undefined || generation.seen.has(id)) return false;
    if (generation.seen.size >= MAX_SEEN) return false;
    generation.seen.add(id);
    const current = this.#generations[0]!; // there is always one
    if (current.seen.size >= SEEN_UNTIL_CHANGE) this.#generations = [newGeneration(), current];
    return true;
  }
}

function newGeneration(): Generation {
  return { nonce: randomBytes(BOOT_NONCE_BYTES), seen: new Set() };
}
