/** The last looks at the door that no honest browser ever comes to feel. */
import assert from "node:assert/strict";
import { fromHex } from "../lib/bytes.ts";
import { decodeEnvelope, signEnvelope } from "../trust/cose.ts";
import { randomBytes } from "../trust/digest.ts";
import { readGrant, signGrant } from "../trust/grant.ts";
import { signClaim } from "../trust/claim.ts";
import { newSigner } from "../trust/test_ends.ts";
import { Pairing } from "./pairing.ts";
import { MAX_GUEST_SESSIONS, MAX_SESSIONS_OF_HOLDER } from "./places.ts";
import { rawOffer } from "./testing/raw_offer.ts";
import { Scene, type TestBrowser } from "./testing/scene.ts";

Deno.test("door is shut to an owner whose browser speaks no version of ours", async () => {
  await Scene.run(async (scene) => {
    const signer = await newSigner();
    await scene.addOwner(signer);
    const link = await scene.browser(signer);
    await link.send(await rawOffer(scene, signer, { versions: [2, 3] }));
    assert.deepEqual(scene.admitted, []);
    assert.equal(link.inbox.length, 1, "it is told");
    assert.ok(scene.log.lines.some(({ fields }) => fields?.reason === "version"));
  });
});

Deno.test("door is shut to whoever bears somebody else's tag, were it an owner", async () => {
  await Scene.run(async (scene) => {
    const [owner, other] = [await newSigner(), await newSigner()];
    for (const signer of [owner, other]) {
      await scene.addOwner(signer);
      await scene.passes.learn(signer.publicKey);
    }
    const link = await scene.browser(other);
    await link.send(await rawOffer(scene, other, { tagOf: owner }));
    assert.deepEqual([scene.admitted.length, link.inbox.length], [0, 0]);
    await link.send(await rawOffer(scene, other, { tagOf: other }));
    assert.equal(scene.admitted.length, 1);
  });
});

/** The word for no, or undefined. */
async function refusal(browser: TestBrowser): Promise<string | undefined> {
  await browser.offer();
  return browser.inbox.length > 0 ? await browser.refusal() : undefined;
}

Deno.test("door lets two keys of one invite wait for their proofs, and no third", async () => {
  await Scene.run(async (scene) => {
    const { fragment } = await scene.lend({ uses: 8 });
    const words: (string | undefined)[] = [];
    for (let i = 0; i < 3; i++) {
      const signer = await newSigner();
      const grants = await scene.grantsFrom(fragment, signer);
      words.push(await refusal(await scene.browser(signer, { grants })));
    }
    assert.deepEqual(words, [undefined, undefined, "busy"]);
  });
});

Deno.test("door takes a bounded number of sessions of one guest, and of all guests", async () => {
  await Scene.run(async (scene) => {
    const { fragment } = await scene.lend({ uses: 16 });
    const first = await scene.guest(fragment);
    const again = { grants: first.grants! };
    for (let i = 1; i < MAX_SESSIONS_OF_HOLDER; i++) {
      scene.world.pass(30);
      await scene.enter(first.signer, again);
    }
    scene.world.pass(30);
    assert.equal(await refusal(await scene.browser(first.signer, again)), "busy");
    for (let i = MAX_SESSIONS_OF_HOLDER; i < MAX_GUEST_SESSIONS; i++) {
      scene.world.pass(30);
      await scene.guest(fragment);
    }
    scene.world.pass(30);
    const late = await newSigner();
    const grants = await scene.grantsFrom(fragment, late);
    assert.equal(await refusal(await scene.browser(late, { grants })), "busy");
    await scene.owner(); // places are kept for those who own it
  });
});

Deno.test("door says nothing of what a session may do before it has confirmed", async () => {
  await Scene.run(async (scene) => {
    const signer = await newSigner();
    await scene.addOwner(signer);
    const admission = await (await scene.browser(signer)).admitted();
    for (const look of ["access", "desk"] as const) {
      assert.throws(() => admission[look], /did not confirm/);
    }
    assert.throws(() => admission.greeting(), /did not confirm/);
    admission.release();
    assert.throws(() => admission.access, /did not confirm/);
  });
});

Deno.test("door takes no claim of another run, though its window has the same id", async () => {
  const device = await newSigner();
  const pairing = new Pairing(device);
  const { id } = await pairing.open({ now: 0 });
  const fields = {
    id: fromHex(id),
    boot: randomBytes(8),
  };
  const claim = { ...fields, token: await signClaim(device, fields) };
  const offer = { claim, provesClaim: () => Promise.resolve(true) };
  assert.equal(await pairing.refusal(offer, 1), "claim_expired");
});

Deno.test("owners register no grant of a guest, and no invite below another grant", async () => {
  await Scene.run(async (scene) => {
    const owner = await scene.owner();
    const { token } = await owner.invite();
    const { kind: _kind, issuer: _issuer, uses, ...fields } = readGrant(token);
    const guest = await signGrant("guest", fields, owner.signer);
    const tokens = [
      guest,
      await signEnvelope("invite", decodeEnvelope(guest, 1024).payload, owner.signer),
      await signGrant("invite", { ...fields, uses: uses!, parent: randomBytes(16) }, owner.signer),
    ];
    for (const bad of tokens) {
      await assert.rejects(owner.ask({ kind: "lend", token: bad, label: "x" }), {
        code: "invalid",
      });
    }
    assert.deepEqual(scene.store.grants(), []);
    await owner.ask({ kind: "lend", token, label: "x" });
    assert.equal(scene.store.grants().length, 1);
  });
});
