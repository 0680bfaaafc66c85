/**
 * Passes: how a device knows the offers of its people before it opens one. After each session it has told the browser its
 * pass; the browser marks its next offer with a tag made from it. The device keeps the tags of all its people for the
 * boot nonce of the day in a map: a flood of strangers costs it a look-up each, and keeps nobody out.
 *
 * A tag proves nothing and admits nobody: the rendezvous sees it, and may repeat it until the boot nonce changes.
 */
import { type Bytes, utf8 } from "../lib/bytes.ts";
import { hmacSha256 } from "./digest.ts";

export const PASS_BYTES = 16;
export const PASS_TAG_BYTES = 16;

const PASS_DOMAIN = utf8("porthole/pass/v1");
const TAG_DOMAIN = utf8("porthole/pass-tag/v1");

/** The pass of a browser, 16 bytes: a secret between it and the device. `secret`: 32 random bytes of the device. */
export async function passFor(secret: Bytes, browserPublicKey: Bytes): Promise<Bytes> {
  return (await hmacSha256(secret, PASS_DOMAIN, browserPublicKey)).slice(0, PASS_BYTES);
}

/** What an offer made for this boot nonce is marked with, 16 bytes. */
export async function passTag(pass: Bytes, bootNonce: Bytes): Promise<Bytes> {
  return (await hmacSha256(pass, TAG_DOMAIN, bootNonce)).slice(0, PASS_TAG_BYTES);
}
