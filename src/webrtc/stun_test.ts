import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { fromHex } from "../lib/bytes.ts";
import { hasIntegrity, isBinding, kindOf, readProof, transactionOf } from "./stun.ts";

/** RFC 5769 2.1: a binding request of ICE, with its password. */
const REQUEST = fromHex(
  "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74" +
    "002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020" +
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf",
);
const PASSWORD = "VOkJxbRl1RmTxUk/WvJxBt";

Deno.test("the sample request of RFC 5769 is read and verified", () => {
  assert.equal(kindOf(REQUEST), "request");
  assert.ok(isBinding(REQUEST));
  assert.equal(transactionOf(REQUEST), "b7e7a701bc34d686fa87dfae");
  const proof = readProof(REQUEST)!;
  assert.equal(proof.username, "evtj:h6vY");
  assert.ok(hasIntegrity(REQUEST, proof, PASSWORD));
  assert.ok(!hasIntegrity(REQUEST, proof, PASSWORD + "x"));
});

Deno.test("a request with any bit in front of MESSAGE-INTEGRITY's end changed is not verified", () => {
  const { integrityAt } = readProof(REQUEST)!;
  for (let at = 0; at < integrityAt + 24; at++) {
    const bent = REQUEST.slice();
    bent[at]! ^= 1;
    const proof = readProof(bent);
    const passed = kindOf(bent) === "request" && proof !== undefined &&
      hasIntegrity(bent, proof, PASSWORD);
    // The length is not signed as it stands (RFC 8489 14.5), but a wrong one is no message.
    assert.ok(!passed, `byte ${at}`);
  }
});

Deno.test("a request that is cut anywhere is no message", () => {
  for (let length = 0; length < REQUEST.length; length++) {
    assert.equal(kindOf(REQUEST.subarray(0, length)), "unknown");
    readProof(REQUEST.subarray(0, length));
  }
});

Deno.test("kinds are told by the first byte and the class", () => {
  const stun = (type: number) => {
    const message = Buffer.alloc(20);
    message.writeUInt16BE(type);
    message.writeUInt32BE(0x2112a442, 4);
    return kindOf(message);
  };
  assert.deepEqual([stun(0x001), stun(0x011), stun(0x101), stun(0x111)], [
    "request",
    "indication",
    "response",
    "response",
  ]);
  const kinds: Record<string, number[]> = {
    dtls: [20, 21, 22, 23],
    channel: [64, 79],
    media: [128, 191],
    unknown: [0, 3, 4, 19, 24, 25, 63, 80, 127, 192, 255],
  };
  for (const [kind, firsts] of Object.entries(kinds)) {
    for (const first of firsts) assert.equal(kindOf(Uint8Array.of(first, 1, 2)), kind, `${first}`);
  }
  assert.equal(kindOf(new Uint8Array()), "unknown");
});

Deno.test("any bytes are looked at without a throw", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    kindOf(bytes);
    const message = Buffer.concat([REQUEST.subarray(0, 20), bytes]);
    const proof = readProof(message);
    if (proof !== undefined) hasIntegrity(message, proof, PASSWORD);
  }));
});

Deno.test("a second name, or one behind the signature, is none", () => {
  const name = Buffer.from([0, 6, 0, 4, ...Buffer.from("a:bb")]);
  const integrity = Buffer.from([0, 8, 0, 20, ...new Array(20).fill(1)]);
  const header = REQUEST.subarray(0, 20);
  assert.equal(readProof(Buffer.concat([header, name, integrity]))?.username, "a:bb");
  assert.equal(readProof(Buffer.concat([header, name, name, integrity])), undefined);
  assert.equal(readProof(Buffer.concat([header, integrity, name])), undefined);
  assert.equal(readProof(Buffer.concat([header, name])), undefined);
});
