import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { concat, toHex, utf8 } from "../lib/bytes.ts";
import { passFor, passTag } from "./pass.ts";

const SECRET = new Uint8Array(32).fill(1);
const BROWSER = new Uint8Array(32).fill(2);
const NONCE = new Uint8Array(16).fill(3);

/** The same by another implementation, from PROTOCOL.md. */
function hmac(key: Uint8Array, domain: string, rest: Uint8Array): string {
  return createHmac("sha256", key).update(concat(utf8(domain), rest)).digest("hex").slice(0, 32);
}

Deno.test("pass and tag are the first halves of these HMACs", async () => {
  const pass = await passFor(SECRET, BROWSER);
  assert.equal(toHex(pass), hmac(SECRET, "porthole/pass/v1", BROWSER));
  assert.equal(toHex(await passTag(pass, NONCE)), hmac(pass, "porthole/pass-tag/v1", NONCE));
});

Deno.test("tags of two browsers, devices or boot nonces have nothing in common", async () => {
  const other = (bytes: Uint8Array) => new Uint8Array(bytes).fill(9);
  const tags = [
    await passTag(await passFor(SECRET, BROWSER), NONCE),
    await passTag(await passFor(other(SECRET), BROWSER), NONCE),
    await passTag(await passFor(SECRET, other(BROWSER)), NONCE),
    await passTag(await passFor(SECRET, BROWSER), other(NONCE)),
  ];
  assert.equal(new Set(tags.map(toHex)).size, tags.length);
  for (const tag of tags) assert.equal(tag.length, 16);
});
