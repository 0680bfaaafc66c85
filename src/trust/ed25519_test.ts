import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { createPublicKey, verify as nodeVerify } from "node:crypto";
import speccheck from "../../tests/vectors/ed25519_speccheck.json" with { type: "json" };
import wycheproof from "../../tests/vectors/ed25519_wycheproof.json" with { type: "json" };
import { concat, fromHex, utf8 } from "../lib/bytes.ts";
import { createSigner, generateSigningKey, isSoundPoint, verify } from "./ed25519.ts";
import { flipped, newSigner } from "./test_ends.ts";

Deno.test("ed25519 refuses all twelve speccheck vectors, on which other verifiers differ", async () => {
  assert.equal(speccheck.length, 12);
  for (const [index, vector] of speccheck.entries()) {
    const { pub_key, message, signature } = vector;
    const verdict = await verify(fromHex(pub_key), fromHex(message), fromHex(signature));
    assert.equal(verdict, false, `vector ${index}`);
  }
});

Deno.test("ed25519 agrees with all 151 vectors of Wycheproof", async () => {
  let count = 0;
  for (const group of wycheproof.testGroups) {
    const publicKey = fromHex(group.publicKey.pk);
    for (const { tcId, msg, sig, result } of group.tests) {
      count++;
      const verdict = await verify(publicKey, fromHex(msg), fromHex(sig));
      assert.equal(verdict, result === "valid", `vector ${tcId}`);
    }
  }
  assert.equal(count, 151);
});

Deno.test("ed25519 signs what it and another verifier accept", async () => {
  for (let i = 0; i < 20; i++) {
    const signer = await newSigner();
    const message = utf8(`message ${i}`);
    const signature = await signer.sign(message);
    assert.equal(isSoundPoint(signer.publicKey), true);
    assert.equal(await verify(signer.publicKey, message, signature), true);
    const spki = concat(fromHex("302a300506032b6570032100"), signer.publicKey); // RFC 8410 4
    const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
    assert.equal(nodeVerify(null, message, key, signature), true);
  }
});

Deno.test("ed25519 refuses a key, message or signature changed or cut anywhere", async () => {
  const signer = await newSigner();
  const message = utf8("a message");
  const signature = await signer.sign(message);
  for (let i = 0; i < 64; i++) {
    assert.equal(await verify(signer.publicKey, message, flipped(signature, i)), false);
    assert.equal(await verify(signer.publicKey, message, signature.slice(0, i)), false);
    if (i >= 32) continue;
    assert.equal(await verify(flipped(signer.publicKey, i), message, signature), false);
    assert.equal(await verify(signer.publicKey.slice(0, i), message, signature), false);
  }
  for (let i = 0; i < message.length; i++) {
    assert.equal(await verify(signer.publicKey, flipped(message, i), signature), false);
  }
  assert.equal(
    await verify(signer.publicKey, message, concat(signature, new Uint8Array(1))),
    false,
  );
});

Deno.test("ed25519 keeps a browser's key from being read out", async () => {
  const keys = await generateSigningKey(false);
  await assert.rejects(crypto.subtle.exportKey("pkcs8", keys.privateKey));
  assert.equal((await createSigner(keys)).publicKey.length, 32);
});
