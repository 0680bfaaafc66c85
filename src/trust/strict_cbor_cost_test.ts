import assert from "node:assert/strict";
import { concat, fromHex } from "../lib/bytes.ts";
import { decodeCbor } from "./strict_cbor.ts";

/** What is refused when its first token is read says so; what is refused when all was built says something else. */
Deno.test("cbor refuses foreign tokens, long lists and depth before anything is built of them", () => {
  const zeros = new Uint8Array(200);
  const early: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ["a list of 65", concat(fromHex("9841"), zeros), /^Cannot read CBOR: too many entries/],
    ["a map of 65", concat(fromHex("b841"), zeros), /^Cannot read CBOR: too many entries/],
    ["seven lists", fromHex("81818181818181"), /^Cannot read CBOR: too deep/],
    ["a tag", fromHex("c000"), /^Cannot read CBOR: tag is not allowed/],
    ["a float", fromHex("fb3ff8000000000000"), /^Cannot read CBOR: float is not allowed/],
    ["null", fromHex("f6"), /^Cannot read CBOR: null is not allowed/],
  ];
  for (const [name, bytes, message] of early) {
    assert.throws(() => decodeCbor(new Uint8Array(bytes), 1024), { message }, name);
  }
});
