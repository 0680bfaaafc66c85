import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { concat, toHex, utf8 } from "../lib/bytes.ts";
import { type ClaimContext, claimKey, claimProof } from "./claim_proof.ts";
import { randomBytes } from "./digest.ts";

const CONTEXT: ClaimContext = {
  sessionId: new Uint8Array(16).fill(1),
  browserPublicKey: new Uint8Array(32).fill(2),
  device: new Uint8Array(16).fill(3),
  claimId: new Uint8Array(16).fill(4),
};

Deno.test("proof of a claim is this HMAC over session, browser, device and claim", async () => {
  const secret = new Uint8Array(16).fill(5);
  const key = createHash("sha256").update("porthole/claim-key/v1").update(secret).digest();
  const { sessionId, browserPublicKey, device, claimId } = CONTEXT;
  const said = concat(
    utf8("porthole/claim-proof/v1"),
    sessionId,
    browserPublicKey,
    device,
    claimId,
  );
  const expected = createHmac("sha256", key).update(said).digest("hex");
  assert.equal(toHex(await claimKey(secret)), key.toString("hex"));
  assert.equal(toHex(await claimProof(await claimKey(secret), CONTEXT)), expected);
});

Deno.test("proof of a claim is good for one session, browser, device, claim and secret", async () => {
  const key = await claimKey(randomBytes(16));
  const proof = toHex(await claimProof(key, CONTEXT));
  for (const name of Object.keys(CONTEXT) as (keyof ClaimContext)[]) {
    const other = { ...CONTEXT, [name]: randomBytes(CONTEXT[name].length) };
    assert.notEqual(toHex(await claimProof(key, other)), proof, name);
  }
  assert.notEqual(toHex(await claimProof(await claimKey(randomBytes(16)), CONTEXT)), proof);
});
