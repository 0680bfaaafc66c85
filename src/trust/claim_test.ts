import assert from "node:assert/strict";
import { toHex } from "../lib/bytes.ts";
import { readClaim, signClaim, verifyClaim } from "./claim.ts";
import { decodeEnvelope, signEnvelope } from "./cose.ts";
import { deviceId, keyId } from "./key_id.ts";
import { flipped, newSigner } from "./test_ends.ts";

const FIELDS = { id: new Uint8Array(16).fill(0x11), boot: new Uint8Array(8).fill(0x22) };

Deno.test("claim has exactly these payload bytes", async () => {
  const signer = await newSigner();
  const token = await signClaim(signer, FIELDS);
  const payload = "a5" + "0001" + "0148" + toHex(await keyId(signer.publicKey)) +
    "0250" + toHex(await deviceId(signer.publicKey)) + "0450" + "11".repeat(16) + "0c48" +
    "22".repeat(8);
  assert.equal(toHex(decodeEnvelope(token, 1024).payload), payload);
  assert.deepEqual(await verifyClaim(token, signer.publicKey), {
    kind: "claim",
    issuer: await keyId(signer.publicKey),
    audience: await deviceId(signer.publicKey),
    ...FIELDS,
  });
});

Deno.test("claim is refused cut, changed, of another kind or for another device", async () => {
  const signer = await newSigner();
  const token = await signClaim(signer, FIELDS);
  for (let i = 0; i < token.length; i++) {
    assert.throws(() => readClaim(token.slice(0, i)));
    await assert.rejects(verifyClaim(flipped(token, i), signer.publicKey));
  }
  const { payload } = decodeEnvelope(token, 1024);
  const guest = await signEnvelope("guest", payload, signer);
  await assert.rejects(verifyClaim(guest, signer.publicKey), { name: "SignatureError" });
  const other = await newSigner();
  await assert.rejects(verifyClaim(token, other.publicKey), /another device/);
  const posing = { publicKey: signer.publicKey, sign: other.sign };
  await assert.rejects(verifyClaim(await signClaim(posing, FIELDS), signer.publicKey), {
    name: "SignatureError",
  });
  await assert.rejects(verifyClaim(new Uint8Array(2000), signer.publicKey), /too long/);
});
