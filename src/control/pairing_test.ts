import assert from "node:assert/strict";
import { type Bytes, flipped } from "./test_parts.ts";
import { claimKey } from "../trust/claim_proof.ts";
import { randomBytes } from "../trust/digest.ts";
import { decodePairLink } from "../trust/pair_link.ts";
import { readClaim, signClaim } from "../trust/claim.ts";
import { newSigner } from "../trust/test_ends.ts";
import {
  type ClaimingOffer,
  MAX_FAILURES,
  MAX_OPEN_WINDOWS,
  MAX_WINDOW_MS,
  MIN_WINDOW_MS,
  Pairing,
} from "./pairing.ts";
import { equalBytes } from "../lib/bytes.ts";

/** An offer by somebody who holds this link, or who has another secret. */
async function offerOf(fragment: string, secret?: Bytes): Promise<ClaimingOffer & { id: Bytes }> {
  const link = await decodePairLink(fragment.replace(/^pair=/, ""));
  const { id, boot } = readClaim(link.claim);
  const known = await claimKey(secret ?? link.secret);
  return {
    id,
    claim: { id, boot, token: link.claim },
    provesClaim: (key) => Promise.resolve(equalBytes(key, known)),
  };
}

async function newPairing(): Promise<Pairing> {
  return new Pairing(await newSigner());
}

Deno.test("pairing lets whoever has the link in, once", async () => {
  const pairing = await newPairing();
  const window = await pairing.open({ now: 1000 });
  assert.equal(window.expiresAt, 1000 + 10 * 60_000);
  assert.deepEqual(pairing.openWindows(1000), [window.id]);
  const offer = await offerOf(window.fragment);
  assert.equal(await pairing.refusal(offer, 2000), undefined);
  assert.equal(await pairing.refusal(offer, 3000), undefined);
  pairing.consume(offer.id);
  assert.equal(await pairing.refusal(offer, 4000), "claim_used");
  assert.equal(pairing.refusalOf(offer.id, MAX_WINDOW_MS), "claim_used");
  assert.deepEqual(pairing.openWindows(4000), []);
});

Deno.test("pairing refuses without a claim, in another run, and for a window it never opened", async () => {
  const signer = await newSigner();
  const pairing = new Pairing(signer);
  assert.equal(
    await pairing.refusal({ provesClaim: () => Promise.resolve(true) }, 0),
    "not_paired",
  );
  const { fragment } = await pairing.open({ now: 0 });
  assert.equal(await new Pairing(signer).refusal(await offerOf(fragment), 0), "claim_expired");
  const offer = await offerOf(fragment);
  const claim = { ...offer.claim!, id: randomBytes(16) };
  assert.equal(await pairing.refusal({ ...offer, claim }, 0), "claim_expired");
});

Deno.test("pairing closes a window to the millisecond", async () => {
  const pairing = await newPairing();
  const { fragment, expiresAt } = await pairing.open({ now: 5000, forMs: MIN_WINDOW_MS });
  assert.equal(expiresAt, 5000 + MIN_WINDOW_MS);
  const offer = await offerOf(fragment);
  assert.equal(await pairing.refusal(offer, expiresAt - 1), undefined);
  assert.equal(await pairing.refusal(offer, expiresAt), "claim_expired");
  assert.equal(await pairing.refusal(offer, 0), "claim_expired", "it does not open again");
});

Deno.test("pairing closes a window after too many failures and leaves the others open", async () => {
  const pairing = await newPairing();
  const [first, second] = [await pairing.open({ now: 0 }), await pairing.open({ now: 0 })];
  const guess = await offerOf(first.fragment, randomBytes(16));
  for (let i = 1; i < MAX_FAILURES; i++) {
    assert.equal(await pairing.refusal(guess, 1), "claim_wrong");
  }
  assert.equal(await pairing.refusal(await offerOf(first.fragment), 1), undefined);
  assert.equal(await pairing.refusal(guess, 1), "claim_wrong");
  assert.equal(await pairing.refusal(await offerOf(first.fragment), 1), "claim_expired");
  assert.equal(await pairing.refusal(await offerOf(second.fragment), 1), undefined);
});

Deno.test("pairing refuses the secret with a claim that was changed or made by another", async () => {
  const pairing = await newPairing();
  const { fragment } = await pairing.open({ now: 0 });
  const offer = await offerOf(fragment);
  const claim = offer.claim!;
  const changed = { ...claim, token: flipped(claim.token, claim.token.length - 1) };
  assert.equal(await pairing.refusal({ ...offer, claim: changed }, 0), "claim_wrong");
  const forged = { ...claim, token: await signClaim(await newSigner(), claim) };
  assert.equal(await pairing.refusal({ ...offer, claim: forged }, 0), "claim_wrong");
});

Deno.test("pairing notices a window that was used or closed while the proof was tested", async () => {
  const pairing = await newPairing();
  const { fragment, id } = await pairing.open({ now: 0 });
  const offer = await offerOf(fragment);
  const racing = {
    ...offer,
    provesClaim(key: Bytes) {
      pairing.consume(offer.id);
      return offer.provesClaim(key);
    },
  };
  assert.equal(await pairing.refusal(racing, 0), "claim_used");
  assert.equal(pairing.close(id, 0), false);
});

Deno.test("pairing bounds how long and how many windows are open", async () => {
  const pairing = await newPairing();
  for (const forMs of [0, -1, NaN, MIN_WINDOW_MS - 1, MAX_WINDOW_MS + 1, Infinity]) {
    await assert.rejects(pairing.open({ now: 0, forMs }), RangeError);
  }
  const ids: string[] = [];
  for (let i = 0; i < MAX_OPEN_WINDOWS; i++) ids.push((await pairing.open({ now: 0 })).id);
  await assert.rejects(pairing.open({ now: 0 }), /4 are open/);
  await assert.rejects(pairing.open({ now: 0, opener: "a" }), /4 are open/);
  assert.equal(pairing.close(ids[0]!, 0), true);
  assert.equal(pairing.close(ids[0]!, 0), false);
  assert.equal(pairing.close("unknown", 0), false);
  assert.ok(await pairing.open({ now: 0 }));
  for (let i = 1; i < 50; i++) assert.ok(await pairing.open({ now: i * MAX_WINDOW_MS }));
});

Deno.test("pairing tells nobody the secret but in the link", async () => {
  const pairing = await newPairing();
  const { fragment, id } = await pairing.open({ now: 0 });
  const { secret } = await decodePairLink(fragment.slice("pair=".length));
  assert.equal(secret.length, 16);
  assert.equal(fragment.includes(id), false);
  assert.equal(JSON.stringify(pairing), "{}");
});

Deno.test("pairing gives one owner two windows, owners three, and somebody at the device the last", async () => {
  const pairing = await newPairing();
  for (const opener of ["a", "a", "b"]) assert.ok(await pairing.open({ now: 0, opener }));
  await assert.rejects(pairing.open({ now: 0, opener: "a" }), /2 are open/);
  await assert.rejects(pairing.open({ now: 0, opener: "b" }), /3 are open/);
  const { id } = await pairing.open({ now: 0 });
  assert.deepEqual(pairing.list(1).map(({ opener }) => opener), ["a", "a", "b", undefined]);
  await assert.rejects(pairing.open({ now: 0 }), /4 are open/);
  pairing.close(id, 1);
  assert.ok(await pairing.open({ now: 1 }));
});
