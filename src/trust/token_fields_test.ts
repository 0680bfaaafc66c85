/** Tokens whose signer is the right one and keeps no rule. */
import assert from "node:assert/strict";
import { verifyClaim } from "./claim.ts";
import { decodeEnvelope, encodeEnvelope, signEnvelope } from "./cose.ts";
import { randomBytes } from "./digest.ts";
import { readGrant } from "./grant.ts";
import { deviceId, keyId } from "./key_id.ts";
import { type CborMap, type CborValue, decodeCbor, encodeCbor } from "./strict_cbor.ts";
import { newDevice, newInvite, newSigner } from "./test_ends.ts";

Deno.test("claim that its device signed in another's name or for another is refused", async () => {
  const [signer, other] = [await newSigner(), await newSigner()];
  const base: [number, CborValue][] = [
    [0, 1],
    [1, await keyId(signer.publicKey)],
    [2, await deviceId(signer.publicKey)],
    [4, randomBytes(16)],
    [12, randomBytes(8)],
  ];
  const verdict = async (...changes: [number, CborValue][]) => {
    const payload = encodeCbor(new Map([...base, ...changes]));
    return await verifyClaim(await signEnvelope("claim", payload, signer), signer.publicKey);
  };
  assert.equal((await verdict()).kind, "claim");
  await assert.rejects(verdict([1, await keyId(other.publicKey)]), /another device/);
  await assert.rejects(verdict([2, await deviceId(other.publicKey)]), /another device/);
  const bad: [number, CborValue][] = [[0, 2], [4, randomBytes(15)], [12, randomBytes(9)], [13, 1]];
  for (const change of bad) await assert.rejects(verdict(change), { name: "CborError" });
});

Deno.test("grant with an id, key or name of another size is not read", async () => {
  const owner = await newSigner();
  const { token } = await newInvite(await newDevice(), owner);
  const payload = decodeCbor(decodeEnvelope(token, 1024).payload, 1024) as CborMap;
  const read = async (key: number, value: CborValue) =>
    readGrant(await signEnvelope("invite", encodeCbor(new Map([...payload, [key, value]])), owner));
  for (const [key, size] of [[1, 8], [2, 16], [3, 32], [4, 16]] as const) {
    assert.equal((await read(key, randomBytes(size))).kind, "invite");
    for (const wrong of [0, size - 1, size + 1]) {
      await assert.rejects(read(key, randomBytes(wrong)), { name: "CborError" }, `key ${key}`);
    }
  }
});

Deno.test("signed object with a signature of another size is not taken apart", async () => {
  const { payload, signature } = decodeEnvelope(
    await signEnvelope("claim", new Uint8Array([0xa0]), await newSigner()),
    1024,
  );
  for (const size of [0, 63, 65, 128]) {
    const bytes = encodeEnvelope({ payload, signature: new Uint8Array(size).fill(1) });
    assert.throws(() => decodeEnvelope(bytes, 1024), { name: "CborError" }, `${size} bytes`);
  }
  assert.equal(decodeEnvelope(encodeEnvelope({ payload, signature }), 1024).payload.length, 1);
});
