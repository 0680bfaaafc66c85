import assert from "node:assert/strict";
import { concat } from "../lib/bytes.ts";
import { passFor, passTag } from "../trust/pass.ts";
import { makeOffer, newSigner } from "../trust/test_ends.ts";
import { Passes } from "./passes.ts";
import { MAX_GUEST_SESSIONS, MAX_PENDING, MAX_SESSIONS_OF_HOLDER } from "./places.ts";
import { SEEN_UNTIL_CHANGE } from "./replay_guard.ts";
import { type Person, Scene } from "./testing/scene.ts";
import type { Bytes } from "./test_parts.ts";

const OFFER_BYTES = 1093;

/** What a stranger sends who cannot be bothered to seal anything. */
function junk(): Bytes {
  return concat(
    new Uint8Array([1]),
    crypto.getRandomValues(new Uint8Array(OFFER_BYTES - 1)),
  );
}

/** Sends until strangers are not heard any more. */
async function flood(scene: Scene): Promise<void> {
  const browser = await scene.browser(await newSigner());
  for (let i = 0; i < 40; i++) await browser.send(junk());
  assert.equal(scene.log.events.at(-1), "admission.limited");
}

async function isLetIn(scene: Scene, person: Person): Promise<boolean> {
  const { pass } = person.admission.greeting();
  const browser = await scene.browser(person.signer, { pass, grants: person.grants });
  const before = scene.admitted.length;
  await browser.offer();
  const isIn = scene.admitted.length > before;
  if (isIn) scene.admitted.at(-1)!.release();
  return isIn;
}

Deno.test("a flood of strangers keeps neither owners nor guests out, also after a restart", async () => {
  await Scene.run(async (scene) => {
    const owner = await scene.owner();
    const guest = await scene.guest((await scene.lend()).fragment);
    await flood(scene);
    assert.equal(await isLetIn(scene, owner), true);
    assert.equal(await isLetIn(scene, guest), true);
    const stranger = await scene.browser(owner.signer);
    await stranger.offer();
    assert.deepEqual(stranger.inbox, [], "without the pass it waits its turn like anybody");

    const restarted = await scene.restarted();
    await flood(restarted);
    assert.equal(await isLetIn(restarted, owner), true);
    assert.equal(await isLetIn(restarted, guest), true);
  });
});

Deno.test("a flood that changes the boot nonce keeps nobody out either", async () => {
  await Scene.run(async (scene) => {
    const owner = await scene.owner();
    const { pass } = owner.admission.greeting();
    const early = await scene.browser(owner.signer, { pass });
    const stranger = await newSigner();
    for (let i = 0; i <= SEEN_UNTIL_CHANGE && scene.presenceChanges === 0; i++) {
      scene.world.pass(1);
      await (await scene.browser(stranger)).offer();
    }
    assert.equal(scene.presenceChanges, 1);
    await flood(scene);
    assert.equal(await isLetIn(scene, owner), true, "with a tag for the new nonce");
    await early.offer();
    assert.equal(scene.admitted.at(-1)!.holder, owner.admission.holder, "and with the old one");
  });
});

Deno.test("people have a rate of their own, and one's flood is not another's", async () => {
  await Scene.run(async (scene) => {
    const owner = await scene.owner();
    const guest = await scene.guest((await scene.lend()).fragment);
    let letIn = 0;
    for (let i = 0; i < 30; i++) if (await isLetIn(scene, guest)) letIn++;
    assert.equal(letIn, 10);
    assert.equal(await isLetIn(scene, owner), true);
    const stranger = await scene.browser(await newSigner());
    await stranger.offer();
    assert.equal(await stranger.refusal(), "not_paired");
    scene.world.pass(2);
    assert.equal(await isLetIn(scene, guest), true);
  });
});

Deno.test("a tag is good for its own browser only, and dies with the grant and the owner", async () => {
  await Scene.run(async (scene) => {
    const [owner, other] = [await scene.owner(), await scene.owner()];
    const invite = await owner.lend();
    const guest = await scene.guest(invite.fragment);
    const { pass } = other.admission.greeting();
    const thief = await scene.browser(await newSigner(), { pass });
    await thief.offer();
    assert.deepEqual(thief.inbox, [], "not even an answer");

    await owner.revoke(invite.id);
    await owner.remove(other);
    await flood(scene);
    for (const { admission, signer, grants } of [guest, other]) {
      const { pass } = admission.greeting();
      const browser = await scene.browser(signer, { pass, grants });
      await browser.offer();
      assert.deepEqual(browser.inbox, [], "in the flood like any stranger");
    }
    assert.equal(await isLetIn(scene, owner), true);
  });
});

Deno.test("guests leave room for owners: in sessions, and in those that are being made", async () => {
  await Scene.run(async (scene) => {
    const owner = await scene.owner();
    const { fragment } = await scene.lend({ uses: 64 });
    const first = await scene.guest(fragment);
    const { pass } = first.admission.greeting();
    const { grants } = first;
    for (let i = 1; i < MAX_SESSIONS_OF_HOLDER; i++) {
      await scene.enter(first.signer, { grants, pass });
    }
    assert.equal(await scene.refusalOf(first.signer, { grants, pass }), "busy");
    for (let i = MAX_SESSIONS_OF_HOLDER; i < MAX_GUEST_SESSIONS; i++) {
      scene.world.pass(1);
      await scene.guest(fragment);
    }
    scene.world.pass(10);
    const late = await newSigner();
    const more = await scene.grantsFrom(fragment, late);
    assert.equal(await scene.refusalOf(late, { grants: more }), "busy");
    await scene.enter(owner.signer);
  });
});

Deno.test("one invite's many keys do not keep others from coming in", async () => {
  await Scene.run(async (scene) => {
    const owner = await scene.owner();
    const greedy = await scene.lend({ uses: 1 });
    const honest = await scene.lend({ uses: 1 });
    const results: string[] = [];
    for (let i = 0; i < 6; i++) {
      const signer = await newSigner();
      const grants = await scene.grantsFrom(greedy.fragment, signer);
      const browser = await scene.browser(signer, { grants });
      const before = scene.admitted.length;
      await browser.offer();
      results.push(scene.admitted.length > before ? "admitted" : await browser.refusal());
    }
    assert.deepEqual(results, ["admitted", "admitted", "busy", "busy", "busy", "busy"]);
    await scene.guest(honest.fragment);
    for (let i = 0; i < MAX_PENDING; i++) await (await scene.browser(owner.signer)).admitted();
  });
});

Deno.test("strangers' refusals cost the log six lines, and people's lines stay", async () => {
  await Scene.run(async (scene) => {
    await scene.owner();
    for (let i = 0; i < 60; i++) {
      scene.world.pass(1);
      assert.equal(await scene.refusalOf(await newSigner()), "not_paired");
      scene.heartbeat.beat();
    }
    const lines = scene.audit.page({ limit: 100 });
    const refused = lines.filter(({ event }) => event === "session.refused");
    assert.equal(refused.length, 6);
    assert.ok(lines.some(({ event }) => event === "owner.added"));
  });
});

Deno.test("passes are known for a bounded number of people, owners first", async () => {
  const secret = crypto.getRandomValues(new Uint8Array(32));
  const nonce = new Uint8Array(16);
  const key = (i: number): Bytes => new Uint8Array(32).fill(i >> 8, 0, 16).fill(i, 16);
  const grant = new Uint8Array(16);
  const guests = Array.from({ length: 1100 }, (_, i) => ({
    ...{ grant, keyId: grant, label: "", redeemedAt: 0, spentSeconds: 0 },
    publicKey: key(i),
  }));
  const owner = { keyId: grant, publicKey: new Uint8Array(32).fill(255), label: "", createdAt: 0 };
  const token = { issuer: grant, token: grant, label: "", createdAt: 0, expires: 0, uses: 1 };
  const passes = new Passes({
    secret,
    records: {
      owners: () => [owner],
      grants: () => [{ id: grant, ...token }],
      guests: () => guests,
    },
    isOver: () => false,
    onChange: () => {},
  });
  await passes.start([nonce]);
  const isKnown = async (publicKey: Bytes) => {
    return passes.known(await passTag(await passFor(secret, publicKey), nonce)) !== undefined;
  };
  assert.equal(await isKnown(owner.publicKey), true);
  assert.equal(await isKnown(key(1000)), true);
  assert.equal(await isKnown(key(1099)), false);
  assert.equal(passes.known(undefined), undefined);
});

Deno.test("nothing of keys, tokens, descriptions, candidates and links is in the logs", async () => {
  await Scene.run(async (scene) => {
    const owner = await scene.owner();
    const invite = await owner.lend();
    const guest = await scene.guest(invite.fragment);
    guest.admission.used({ kind: "service", id: "ui", allowed: true });
    await owner.ask({ kind: "pair", forSeconds: 60 });
    await owner.revoke(invite.id);
    await scene.refusalOf(guest.signer, { grants: guest.grants });
    await scene.refusalOf(await newSigner());
    await (await scene.browser(owner.signer)).send(
      await makeOffer(owner.browser.handshake).catch(junk),
    );
    const text = JSON.stringify([
      scene.log.lines,
      scene.audit.page({ limit: 100 }),
      scene.store.audit({ limit: 100 }).map(({ hash: _hash, ...line }) => line),
    ]);
    assert.match(text, /grant\.revoked/);
    const texts = ["Ufr", "asd88fgpdd777", "candidate:", "203.0.113.7", "borrow=", "pair="];
    const pass = owner.admission.greeting().pass;
    const bytes = [owner.signer.publicKey, guest.signer.publicKey, invite.token, pass];
    for (const secret of [...texts, ...bytes.flatMap((part) => spellings(part.slice(0, 12)))]) {
      assert.equal(text.includes(secret), false, secret);
    }
  });
});

/** Ways in which bytes could stand in a text. */
function spellings(bytes: Uint8Array): string[] {
  const base64 = btoa(String.fromCharCode(...bytes));
  return [
    Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(""),
    base64,
    base64.replaceAll("+", "-").replaceAll("/", "_"),
    Object.entries(bytes).map(([i, byte]) => `"${i}":${byte}`).join(","),
    bytes.join(","),
  ];
}
