import assert from "node:assert/strict";
import { type Bytes, toHex } from "../lib/bytes.ts";
import type { Signer } from "../trust/ed25519.ts";
import { keyId } from "../trust/key_id.ts";
import { passFor, passTag } from "../trust/pass.ts";
import { verifyPresence } from "../trust/presence.ts";
import { Passes } from "./passes.ts";
import { HOUR, Scene } from "./testing/scene.ts";

const NONCE = new Uint8Array(16);
const SECRET = new Uint8Array(32).fill(7);

function key(i: number): Bytes {
  return new Uint8Array(32).fill(i >> 8, 0, 16).fill(i, 16);
}

async function isKnown(passes: Passes, publicKey: Bytes): Promise<boolean> {
  return passes.known(await passTag(await passFor(SECRET, publicKey), NONCE)) !== undefined;
}

Deno.test("passes make room for whoever comes: the guest who has not come for longest goes, no owner does", async () => {
  const owner = { keyId: await keyId(key(0)), publicKey: key(0), label: "", createdAt: 0 };
  const records = { owners: () => [owner], grants: () => [], guests: () => [] };
  const passes = new Passes({ secret: SECRET, records, isOver: () => false, onChange() {} });
  await passes.start([NONCE]);
  for (let i = 1; i < 1024; i++) await passes.learn(key(i));
  await passes.learn(key(1));
  await passes.learn(key(2000));
  const known = [];
  for (const i of [0, 1, 2, 3, 1023, 2000]) known.push(await isKnown(passes, key(i)));
  assert.deepEqual(known, [true, true, false, true, true, true]);
  passes.keep([{ keyId: await keyId(key(3)) }]);
  assert.deepEqual(
    [await isKnown(passes, key(0)), await isKnown(passes, key(3)), await isKnown(passes, key(1))],
    [true, true, false],
  );
});

/** Whether the tag that this browser would bear now is known. */
async function isKnownTo({ passes, admissions, identity }: Scene, signer: Signer) {
  const presence = await admissions.presence();
  const { bootNonce } = await verifyPresence(presence, identity.signer.publicKey);
  return passes.known(await passTag(await passes.pass(signer.publicKey), bootNonce)) !== undefined;
}

Deno.test("passes forget guests whose grant has ended, and do not learn them again after a restart", async () => {
  await Scene.run(async (scene) => {
    const short = await scene.guest((await scene.lend({ seconds: 60 })).fragment);
    const long = await scene.guest((await scene.lend({ seconds: HOUR })).fragment);
    const owner = await scene.owner();
    const people = [short.signer, long.signer, owner.signer];
    const known = async (run: Scene) => {
      const all = [];
      for (const signer of people) all.push(await isKnownTo(run, signer));
      return all;
    };
    assert.deepEqual(await known(scene), [true, true, true]);
    scene.pass(120);
    assert.deepEqual(await known(scene), [false, true, true]);
    assert.deepEqual(await known(await scene.restarted()), [false, true, true]);
  });
});

/** The short tags that are told, each as digits, and those of these people for a nonce. */
async function told(passes: Passes): Promise<string[]> {
  return toHex(await passes.shortTags()).match(/.{16}/g) ?? [];
}

async function shortTag(publicKey: Bytes, nonce: Bytes): Promise<string> {
  return toHex(await passTag(await passFor(SECRET, publicKey), nonce)).slice(0, 16);
}

Deno.test("passes tell short tags of all their people for each nonce, and of nobody else who could come", async () => {
  const owner = { keyId: await keyId(key(0)), publicKey: key(0), label: "", createdAt: 0 };
  const records = { owners: () => [owner], grants: () => [], guests: () => [] };
  let changes = 0;
  const onChange = () => changes++;
  const passes = new Passes({ secret: SECRET, records, isOver: () => false, onChange });
  const later = new Uint8Array(16).fill(1);
  await passes.start([NONCE]);
  await passes.learn(key(1));
  await passes.follow([later, NONCE]);
  const before = await told(passes);
  for (const i of [0, 1]) {
    for (const nonce of [NONCE, later]) assert.ok(before.includes(await shortTag(key(i), nonce)));
  }
  changes = 0;
  await passes.learn(key(1)); // comes again
  assert.equal(changes, 0);
  passes.forget(toHex(await keyId(key(1))));
  assert.equal(changes, 1);
  const after = await told(passes);
  for (const nonce of [NONCE, later]) {
    assert.equal(after.includes(await shortTag(key(1), nonce)), false);
  }
});

Deno.test("passes do not tell how many people there are, nor which tags are theirs", async () => {
  const records = { owners: () => [], grants: () => [], guests: () => [] };
  const passes = new Passes({ secret: SECRET, records, isOver: () => false, onChange() {} });
  await passes.start([NONCE]);
  const counts = new Set<number>();
  let before = await told(passes);
  for (let i = 0; i < 64; i++) {
    await passes.learn(key(i));
    const now = await told(passes);
    assert.deepEqual(now, now.toSorted());
    assert.equal(now.filter((tag) => !before.includes(tag)).length, 1, "the others stay");
    counts.add(now.length);
    before = now;
  }
  assert.deepEqual([...counts], [64]);
  await passes.learn(key(64));
  assert.equal((await told(passes)).length, 128);
});

Deno.test("passes tell no more tags than a message holds, those for the current nonce first", async () => {
  const records = { owners: () => [], grants: () => [], guests: () => [] };
  const passes = new Passes({ secret: SECRET, records, isOver: () => false, onChange() {} });
  await passes.start([NONCE]);
  for (let i = 0; i < 1024; i++) await passes.learn(key(i));
  const later = new Uint8Array(16).fill(1);
  await passes.follow([later, NONCE]);
  const all = await told(passes);
  assert.equal(all.length, 1024);
  for (const i of [0, 511, 1023]) assert.ok(all.includes(await shortTag(key(i), later)));
});
