import assert from "node:assert/strict";
import { concat, toHex } from "../lib/bytes.ts";
import { decodeEnvelope, signEnvelope } from "./cose.ts";
import { sha256 } from "./digest.ts";
import { signerFromSeed } from "./ed25519.ts";
import {
  type GrantFields,
  grantHash,
  type GrantKind,
  MAX_TTL_SECONDS,
  MAX_USES,
  readGrant,
  signGrant,
} from "./grant.ts";
import { keyId } from "./key_id.ts";
import type { Scope } from "./scope.ts";
import { type CborMap, type CborValue, decodeCbor, encodeCbor } from "./strict_cbor.ts";
import { flipped, newSigner, SCOPE } from "./test_ends.ts";
import { MAX_COUNT, MAX_TIME } from "./token.ts";

const GUEST: GrantFields = {
  audience: new Uint8Array(16).fill(0xaa),
  holder: new Uint8Array(32).fill(0xbb),
  id: new Uint8Array(16).fill(0xcc),
  notBefore: 1_800_000_000,
  expires: 1_800_086_400,
  epoch: 3,
  scope: SCOPE,
  depth: 0,
  ttl: 86_400,
};
const PARENT = new Uint8Array(16).fill(0xdd);

Deno.test("guest and invite have exactly these payload bytes", async () => {
  const signer = await signerFromSeed(new Uint8Array(32).fill(0xb1));
  const shared = "0001" + "0148" + toHex(await keyId(signer.publicKey)) + "0250" + "aa".repeat(16) +
    "035820" + "bb".repeat(32) + "0450" + "cc".repeat(16) + "051a6b49d200" + "061a6b4b2380" +
    "0703" + "08a3" + "00820104" + "018102" + "0205";
  const guest = await signGrant("guest", { ...GUEST, parent: PARENT }, signer);
  assert.equal(
    toHex(decodeEnvelope(guest, 1024).payload),
    "ac" + shared + "0900" + "0a1a00015180" + "0b50" + "dd".repeat(16),
  );
  const invite = await signGrant("invite", { ...GUEST, depth: 1, uses: 64 }, signer);
  assert.equal(
    toHex(decodeEnvelope(invite, 1024).payload),
    "ac" + shared + "0901" + "0a1a00015180" + "0d1840",
  );
  const issuer = await keyId(signer.publicKey);
  assert.deepEqual(readGrant(guest), { kind: "guest", issuer, ...GUEST, parent: PARENT });
  assert.deepEqual(readGrant(invite), { kind: "invite", issuer, ...GUEST, depth: 1, uses: 64 });
  assert.equal(guest.length, 209);
});

Deno.test("grant takes the ends of each range", async () => {
  const signer = await newSigner();
  const numbers = Array.from({ length: 32 }, (_, i) => 65_504 + i);
  const widest: GrantFields = {
    ...GUEST,
    notBefore: MAX_TIME - 1,
    expires: MAX_TIME,
    epoch: MAX_COUNT,
    scope: { services: numbers, cameras: numbers, operations: ["view", "talk", "operate"] },
    depth: 2,
    ttl: MAX_TTL_SECONDS,
    uses: MAX_USES,
    parent: PARENT,
  };
  const token = await signGrant("invite", widest, signer);
  const issuer = await keyId(signer.publicKey);
  assert.deepEqual(readGrant(token), { kind: "invite", issuer, ...widest });
  assert.ok(token.length <= 512, `${token.length} bytes`);
  const least = { ...GUEST, notBefore: 0, expires: 1, epoch: 0, ttl: 1 };
  assert.equal(readGrant(await signGrant("guest", least, signer)).ttl, 1);
});

Deno.test("grant is neither written nor read with fields outside the profile", async () => {
  const signer = await newSigner();
  const scope = (change: Partial<Scope>) => ({ scope: { ...SCOPE, ...change } });
  const bad: Record<string, Partial<GrantFields>> = {
    "audience of 15 bytes": { audience: new Uint8Array(15) },
    "holder of 31 bytes": { holder: new Uint8Array(31) },
    "holder of 33 bytes": { holder: new Uint8Array(33) },
    "id of 17 bytes": { id: new Uint8Array(17) },
    "negative notBefore": { notBefore: -1 },
    "fraction": { notBefore: 0.5 },
    "expires above 32 bits": { expires: MAX_TIME + 1 },
    "end at the beginning": { expires: GUEST.notBefore },
    "end before the beginning": { expires: GUEST.notBefore - 1 },
    "epoch above 32 bits": { epoch: MAX_COUNT + 1 },
    "depth 3": { depth: 3 },
    "ttl 0": { ttl: 0 },
    "ttl above 10 years": { ttl: MAX_TTL_SECONDS + 1 },
    "parent of 15 bytes": { parent: new Uint8Array(15) },
    "uses 0": { uses: 0 },
    "uses 65": { uses: 65 },
    "an invite of depth 0": { uses: 1, depth: 0 },
    "an empty scope": scope({ services: [], cameras: [] }),
    "no operation": scope({ operations: [] }),
  };
  for (const [name, change] of Object.entries(bad)) {
    const kind = "uses" in change ? "invite" : "guest";
    const depth = kind === "invite" ? 1 : 0;
    await assert.rejects(
      signGrant(kind, { ...GUEST, depth, ...change }, signer),
      { name: "CborError" },
      name,
    );
  }
  const deep = { ...GUEST, depth: 1 };
  await assert.rejects(signGrant("invite", deep, signer), /invites have uses/);
  await assert.rejects(signGrant("guest", { ...deep, uses: 1 }, signer), /guests have none/);
});

/** A grant whose payload was changed before it was signed: what a lender with a program of its own can make. */
async function signChanged(kind: GrantKind, change: (payload: Map<number, CborValue>) => unknown) {
  const signer = await newSigner();
  const own = kind === "invite" ? { uses: 1, depth: 1 } : {};
  const { payload } = decodeEnvelope(await signGrant(kind, { ...GUEST, ...own }, signer), 1024);
  const map = new Map(decodeCbor(payload, 1024) as CborMap);
  change(map);
  return await signEnvelope(kind, encodeCbor(map), signer);
}

Deno.test("grant is refused with any key missing, further or of another type", async () => {
  for (const kind of ["guest", "invite"] as const) {
    const token = await signChanged(kind, () => {});
    const keys = [...(decodeCbor(decodeEnvelope(token, 1024).payload, 1024) as CborMap).keys()];
    assert.equal(keys.length, kind === "invite" ? 12 : 11);
    for (const key of keys.filter((key) => key !== 13)) { // an invite without uses is read as a guest
      const without = await signChanged(kind, (map) => map.delete(key));
      assert.throws(() => readGrant(without), /missing/, `${key}`);
      const text = await signChanged(kind, (map) => map.set(key, "text"));
      assert.throws(() => readGrant(text), { name: "CborError" }, `${key}`);
    }
    for (const key of [12, 14, 15, 16, 1000]) {
      const further = await signChanged(kind, (map) => map.set(key, 1));
      assert.throws(() => readGrant(further), /unknown key/, `${key}`);
    }
    const another = await signChanged(kind, (map) => map.set(0, 2));
    assert.throws(() => readGrant(another), /key 0 differs/);
  }
});

Deno.test("grant is refused cut at every byte, and read otherwise after any change or not at all", async () => {
  const token = await signGrant("invite", { ...GUEST, depth: 1, uses: 3 }, await newSigner());
  const grant = readGrant(token);
  const signature = token.length - 64;
  for (let i = 0; i < token.length; i++) {
    assert.throws(() => readGrant(token.slice(0, i)));
    if (i >= signature) continue; // not looked at before it is verified
    let changed;
    try {
      changed = readGrant(flipped(token, i));
    } catch {
      continue;
    }
    assert.notDeepEqual(changed, grant, `byte ${i}`);
  }
  assert.throws(() => readGrant(concat(token, new Uint8Array(1))));
  assert.throws(() => readGrant(new Uint8Array(1025)), /too long/);
});

Deno.test("grant is refused in another encoding though it is signed", async () => {
  const signer = await newSigner();
  const { payload } = decodeEnvelope(await signGrant("guest", GUEST, signer), 1024);
  const version = 2; // the value of key 0, behind the map's head and the key
  const long = concat(payload.slice(0, version), new Uint8Array([0x18]), payload.slice(version));
  const token = await signEnvelope("guest", long, signer);
  assert.throws(() => readGrant(token), /not deterministic|malformed/);
  const swapped = concat(
    payload.slice(0, 1),
    payload.slice(3, 13),
    payload.slice(1, 3),
    payload.slice(13),
  );
  const unsorted = await signEnvelope("guest", swapped, signer);
  assert.throws(() => readGrant(unsorted), /not deterministic|malformed/);
});

Deno.test("grant hash is the first half of SHA-256 over the whole token", async () => {
  const token = await signGrant("guest", GUEST, await newSigner());
  assert.deepEqual(await grantHash(token), (await sha256(token)).slice(0, 16));
});
