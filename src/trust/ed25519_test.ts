import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { createPublicKey, verify as nodeVerify } from "node:crypto";
import speccheck from "../../tests/vectors/ed25519_speccheck.json" with { type: "json" };
import wycheproof from "../../tests/vectors/ed25519_wycheproof.json" with { type: "json" };
import { concat, fromHex, toHex, utf8 } from "../lib/bytes.ts";
import {
  createSigner,
  generateSigningKey,
  isSoundPoint,
  signerFromSeed,
  verify,
} from "./ed25519.ts";
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

Deno.test("ed25519 makes the keys and signatures of RFC 8032 7.1 from their seeds", async () => {
  const vectors: [seed: string, publicKey: string, message: string, signature: string][] = [
    [
      "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
      "",
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b" +
      "d25bf5f0595bbe24655141438e7a100b",
    ],
    [
      "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
      "72",
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c" +
      "387b2eaeb4302aeeb00d291612bb0c00",
    ],
  ];
  for (const [seed, publicKey, message, signature] of vectors) {
    const signer = await signerFromSeed(fromHex(seed));
    assert.equal(toHex(signer.publicKey), publicKey);
    assert.equal(toHex(await signer.sign(fromHex(message))), signature);
  }
  for (const length of [0, 31, 33]) {
    await assert.rejects(signerFromSeed(new Uint8Array(length)));
  }
});

Deno.test("ed25519 keeps a browser's key from being read out", async () => {
  const keys = await generateSigningKey(false);
  await assert.rejects(crypto.subtle.exportKey("pkcs8", keys.privateKey));
  assert.equal((await createSigner(keys)).publicKey.length, 32);
});
