import assert from "node:assert/strict";
import { concat, toHex } from "../lib/bytes.ts";
import { decodeEnvelope, signEnvelope } from "./cose.ts";
import { keyId } from "./key_id.ts";
import {
  readRevocation,
  type RevocationFields,
  signRevocation,
  verifyRevocation,
} from "./revocation.ts";
import { type CborMap, type CborValue, decodeCbor, encodeCbor } from "./strict_cbor.ts";
import { flipped, newSigner } from "./test_ends.ts";

const AUDIENCE = new Uint8Array(16).fill(0xaa);
const OF_GRANT: RevocationFields = {
  audience: AUDIENCE,
  issuedAt: 1_800_000_000,
  target: { kind: "grant", id: new Uint8Array(16).fill(0xcc) },
  sequence: 7,
};
const OF_OWNER: RevocationFields = {
  ...OF_GRANT,
  target: { kind: "owner", id: new Uint8Array(8).fill(0xee) },
};

Deno.test("revocation has exactly these payload bytes and reads back, of a grant and of an owner", async () => {
  const owner = await newSigner();
  const issuer = await keyId(owner.publicKey);
  const head = "a6" + "0001" + "0148" + toHex(issuer) + "0250" + "aa".repeat(16) + "051a6b49d200";
  const targets: [RevocationFields, string][] = [
    [OF_GRANT, "0e50" + "cc".repeat(16)],
    [OF_OWNER, "0e48" + "ee".repeat(8)],
  ];
  for (const [fields, target] of targets) {
    const token = await signRevocation(fields, owner);
    assert.equal(toHex(decodeEnvelope(token, 1024).payload), head + target + "0f07");
    const expected = { audience: AUDIENCE, issuerKey: owner.publicKey };
    assert.deepEqual(await verifyRevocation(token, expected), { issuer, ...fields });
    assert.deepEqual(readRevocation(token), { issuer, ...fields });
  }
});

Deno.test("revocation is refused cut or changed at any byte", async () => {
  const owner = await newSigner();
  const expected = { audience: AUDIENCE, issuerKey: owner.publicKey };
  const token = await signRevocation(OF_GRANT, owner);
  for (let i = 0; i < token.length; i++) {
    await assert.rejects(verifyRevocation(token.slice(0, i), expected));
    await assert.rejects(verifyRevocation(flipped(token, i), expected));
  }
  await assert.rejects(verifyRevocation(concat(token, new Uint8Array(1)), expected));
});

Deno.test("revocation is refused of another owner, for another device, and of another kind", async () => {
  const owner = await newSigner();
  const expected = { audience: AUDIENCE, issuerKey: owner.publicKey };
  const token = await signRevocation(OF_GRANT, owner);
  const other = await newSigner();
  await assert.rejects(
    verifyRevocation(token, { ...expected, issuerKey: other.publicKey }),
    /another issuer/,
  );
  await assert.rejects(
    verifyRevocation(token, { ...expected, audience: new Uint8Array(16) }),
    /another device/,
  );
  const posing = { publicKey: owner.publicKey, sign: other.sign };
  await assert.rejects(verifyRevocation(await signRevocation(OF_GRANT, posing), expected), {
    name: "SignatureError",
  });
  const { payload } = decodeEnvelope(token, 1024);
  await assert.rejects(verifyRevocation(await signEnvelope("guest", payload, owner), expected), {
    name: "SignatureError",
  });
});

Deno.test("revocation is neither written nor read with fields outside the profile", async () => {
  const owner = await newSigner();
  const bad: Partial<RevocationFields>[] = [
    { sequence: 0 },
    { sequence: 2 ** 32 },
    { issuedAt: -1 },
    { audience: new Uint8Array(8) },
    { target: { kind: "grant", id: new Uint8Array(8) } },
    { target: { kind: "owner", id: new Uint8Array(16) } },
    { target: { kind: "owner", id: new Uint8Array(9) } },
  ];
  for (const change of bad) {
    await assert.rejects(signRevocation({ ...OF_GRANT, ...change }, owner), { name: "CborError" });
  }
  const { payload } = decodeEnvelope(await signRevocation(OF_GRANT, owner), 1024);
  const map = decodeCbor(payload, 1024) as CborMap;
  const changes: [number, CborValue][] = [
    [0, 2],
    [4, new Uint8Array(16)],
    [14, new Uint8Array(9)],
    [14, new Uint8Array(0)],
    [14, new Uint8Array(17)],
    [15, 0],
    [16, 1],
  ];
  for (const change of changes) {
    const changed = await signEnvelope("revoke", encodeCbor(new Map([...map, change])), owner);
    assert.throws(() => readRevocation(changed), { name: "CborError" }, `${change}`);
  }
  for (const key of map.keys()) {
    const without = new Map([...map].filter(([other]) => other !== key));
    const token = await signEnvelope("revoke", encodeCbor(without), owner);
    assert.throws(() => readRevocation(token), /missing/);
  }
});
