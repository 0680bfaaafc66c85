import assert from "node:assert/strict";
import type { Admission as AgentAdmission } from "../agent/seams.ts";
import { randomBytes } from "../trust/digest.ts";
import { BrowserHandshake, HandshakeError, type RestartMessage } from "../trust/handshake.ts";
import {
  BROWSER_TRANSPORT,
  CANDIDATE,
  DEVICE_TRANSPORT,
  makeOffer,
  newSigner,
} from "../trust/test_ends.ts";
import { Admissions, MAX_OPENING } from "./admission.ts";
import { MIN_WINDOW_MS } from "./pairing.ts";
import { MAX_PENDING, MAX_PENDING_OF_HOLDER, PENDING_LIMIT_MS } from "./places.ts";
import { SEEN_UNTIL_CHANGE } from "./replay_guard.ts";
import { type Claim, HOUR, override, type Person, Scene } from "./testing/scene.ts";
import { nonceOf, rawOffer } from "./testing/raw_offer.ts";
import { type Bytes, flipped } from "./test_parts.ts";

Deno.test("admission makes a browser with a claim an owner, and lets it in without one after", async () => {
  await Scene.run(async (desk) => {
    const signer = await newSigner();
    const browser = await desk.browser(signer, { claim: await desk.openWindow() });
    const admission = await browser.admitted();
    assert.deepEqual(admission.remote, BROWSER_TRANSPORT);
    assert.deepEqual(admission.remoteCandidates, [CANDIDATE]);
    assert.deepEqual(admission.iceServers, browser.iceServers);
    await browser.confirm(admission);
    assert.deepEqual(desk.store.owners(), [], "nothing is lasting before the agent says so");
    await admission.confirmed();
    assert.deepEqual(desk.store.owners().map((owner) => [owner.label, owner.publicKey]), [
      ["Firefox", signer.publicKey],
    ]);
    admission.release();

    const again = await desk.browser(signer);
    const second = await again.admitted();
    await again.confirm(second);
    await second.confirmed();
    assert.equal(second.holder, admission.holder);
    assert.equal(desk.store.owners().length, 1);
  });
});

Deno.test("admission refuses strangers, and people with claims that are used, expired or wrong", async () => {
  await Scene.run(async (desk) => {
    const stranger = await desk.browser(await newSigner());
    await stranger.offer();
    assert.equal(await stranger.refusal(), "not_paired");

    const claim = await desk.openWindow();
    const guesser = await desk.browser(await newSigner(), {
      claim: { ...claim, secret: new Uint8Array(16) },
    });
    await guesser.offer();
    assert.equal(await guesser.refusal(), "claim_wrong");

    const first = await desk.browser(await newSigner(), { claim });
    const admission = await first.admitted();
    await first.confirm(admission);
    await admission.confirmed();
    const late = await desk.browser(await newSigner(), { claim });
    await late.offer();
    assert.equal(await late.refusal(), "claim_used");

    const expired = await desk.openWindow();
    desk.world.monotonic += MIN_WINDOW_MS;
    const slow = await desk.browser(await newSigner(), { claim: expired });
    await slow.offer();
    assert.equal(await slow.refusal(), "claim_expired");
    assert.equal(desk.admitted.length, 1);
    assert.equal(desk.store.owners().length, 1);
  });
});

Deno.test("admission knows a claim as used after a restart", async () => {
  await Scene.run(async (desk) => {
    const claim = await desk.openWindow();
    const unused = await desk.openWindow();
    const browser = await desk.browser(await newSigner(), { claim });
    const admission = await browser.admitted();
    await browser.confirm(admission);
    await admission.confirmed();
    const restarted = await desk.restarted();
    for (const [given, code] of [[claim, "claim_used"], [unused, "claim_expired"]] as const) {
      const late = await restarted.browser(await newSigner(), { claim: given });
      await late.offer();
      assert.equal(await late.refusal(), code);
    }
  });
});

Deno.test("admission lets exactly one of two browsers that race for a claim become an owner", async () => {
  for (const order of [[0, 1], [1, 0]]) {
    await Scene.run(async (desk) => {
      const claim = await desk.openWindow();
      const browsers = [
        await desk.browser(await newSigner(), { claim }),
        await desk.browser(await newSigner(), { claim }),
      ];
      const admissions: AgentAdmission[] = [];
      for (const browser of browsers) admissions.push(await browser.admitted());
      await Promise.all(browsers.map((browser, i) => browser.confirm(admissions[i]!)));
      const results = await Promise.allSettled(order.map((i) => admissions[i]!.confirmed()));
      assert.deepEqual(results.map((result) => result.status), ["fulfilled", "rejected"]);
      const [, lost] = results;
      assert.ok(lost?.status === "rejected" && lost.reason instanceof HandshakeError);
      assert.equal(lost.reason.code, "claim_used");
      assert.equal(desk.store.owners().length, 1);
    });
  }
});

Deno.test("admission makes nobody an owner when the window closed before the confirmation", async () => {
  await Scene.run(async (desk) => {
    const browser = await desk.browser(await newSigner(), { claim: await desk.openWindow() });
    const admission = await browser.admitted();
    await browser.confirm(admission);
    desk.world.monotonic += MIN_WINDOW_MS;
    await assert.rejects(admission.confirmed(), { code: "claim_expired" });
    assert.deepEqual(desk.store.owners(), []);
  });
});

Deno.test("admission makes nobody an owner who did not confirm, or whose session has ended", async () => {
  await Scene.run(async (desk) => {
    const browser = await desk.browser(await newSigner(), { claim: await desk.openWindow() });
    const admission = await browser.admitted();
    await assert.rejects(admission.confirmed());
    await admission.answer(DEVICE_TRANSPORT);
    await assert.rejects(admission.confirmed(), /did not confirm/);
    const other = await desk.browser(await newSigner(), { claim: await desk.openWindow() });
    const second = await other.admitted();
    await other.confirm(second);
    second.release();
    await assert.rejects(second.confirmed(), /did not confirm/);
    assert.deepEqual(desk.store.owners(), []);
  });
});

Deno.test("admission keeps the window open when the store fails", async () => {
  await Scene.run(async ({ identity, store }) => {
    let fails = true;
    const records = override(store, {
      consumeClaimAndAddOwner(...given) {
        if (fails) throw new Error("disk full");
        return store.consumeClaimAndAddOwner(...given);
      },
    });
    const desk = new Scene(identity, store, undefined, records);
    const claim = await desk.openWindow();
    const signer = await newSigner();
    for (const wanted of [/disk full/, undefined]) {
      const browser = await desk.browser(signer, { claim });
      const admission = await browser.admitted();
      await browser.confirm(admission);
      if (wanted) await assert.rejects(admission.confirmed(), wanted);
      else await admission.confirmed();
      admission.release();
      fails = false;
    }
    assert.equal(store.owners().length, 1);
  });
});

Deno.test("admission believes the store when it says that a claim was used meanwhile", async () => {
  await Scene.run(async ({ identity, store }) => {
    const records = override(store, {
      owner: () => undefined,
      isConsumed: () => false,
      consumeClaimAndAddOwner: () => "already_used",
    });
    const desk = new Scene(identity, store, undefined, records);
    const browser = await desk.browser(await newSigner(), { claim: await desk.openWindow() });
    const admission = await browser.admitted();
    await browser.confirm(admission);
    await assert.rejects(admission.confirmed(), { code: "claim_used" });
    assert.deepEqual(desk.pairing.openWindows(desk.world.monotonic), []);
  });
});

Deno.test("admission does not let in whoever was removed before the confirmation", async () => {
  await Scene.run(async ({ identity, store }) => {
    let removed = false;
    const records = override(store, {
      owner: (id) => removed ? undefined : store.owner(id),
    });
    const desk = new Scene(identity, store, undefined, records);
    const signer = await newSigner();
    await desk.addOwner(signer);
    const browser = await desk.browser(signer);
    const admission = await browser.admitted();
    await browser.confirm(admission);
    removed = true;
    await assert.rejects(admission.confirmed(), { code: "not_paired" });
  });
});

Deno.test("admission compares the whole key, not the id that it is looked up by", async () => {
  await Scene.run(async ({ identity, store }) => {
    const other = await newSigner();
    const records = override(store, {
      owner: (id) => ({ keyId: id, publicKey: other.publicKey, label: "", createdAt: 0 }),
    });
    const desk = new Scene(identity, store, undefined, records);
    const browser = await desk.browser(await newSigner());
    await browser.offer();
    assert.equal(await browser.refusal(), "not_paired");
  });
});

Deno.test("admission passes candidates both ways, those before a listener too, and drops all others", async () => {
  await Scene.run(async (desk) => {
    const signer = await newSigner();
    await desk.addOwner(signer);
    const browser = await desk.browser(signer);
    const admission = await browser.admitted();
    await browser.send(new Uint8Array(275).fill(3));
    await admission.answer(DEVICE_TRANSPORT);
    await browser.handshake.acceptAnswer(browser.inbox.shift()!);
    const wanted = [1, 2, 3].map((port) => CANDIDATE.replace("46154", `${port}`));
    const sealed: Bytes[] = [];
    for (const candidate of wanted) sealed.push(await browser.handshake.sealCandidate(candidate));
    await browser.send(flipped(sealed[0]!, 100));
    await browser.send(sealed[0]!);
    await browser.send(sealed[0]!);
    await browser.send(new Uint8Array(0));
    await browser.send(new Uint8Array([9, 9]));
    await desk.admissions.receive(999_999, sealed[1]!, browser);
    const heard: string[] = [];
    admission.onCandidate((candidate) => heard.push(candidate));
    await Promise.all([browser.send(sealed[1]!), browser.send(sealed[2]!)]);
    assert.deepEqual(heard, wanted);

    for (let i = 0; i < 70; i++) await admission.sendCandidate(CANDIDATE);
    assert.equal(browser.inbox.length, 64);
    for (const wire of browser.inbox) {
      assert.equal(await browser.handshake.openCandidate(wire), CANDIDATE);
    }
  });
});

Deno.test("admission stops trying junk that is sent as candidates", async () => {
  await Scene.run(async (desk) => {
    const signer = await newSigner();
    await desk.addOwner(signer);
    const browser = await desk.browser(signer);
    const admission = await browser.admitted();
    await admission.answer(DEVICE_TRANSPORT);
    await browser.handshake.acceptAnswer(browser.inbox.shift()!);
    for (let i = 0; i < 128; i++) await browser.send(new Uint8Array(275).fill(3));
    const heard: string[] = [];
    admission.onCandidate((candidate) => heard.push(candidate));
    await browser.send(await browser.handshake.sealCandidate(CANDIDATE));
    assert.deepEqual(heard, []);
  });
});

Deno.test("admission refuses a replayed offer and one from before a restart as stale", async () => {
  await Scene.run(async (desk) => {
    const signer = await newSigner();
    await desk.addOwner(signer);
    const browser = await desk.browser(signer);
    const offer = await makeOffer(browser.handshake);
    await browser.send(offer);
    assert.equal(desk.admitted.length, 1);
    await browser.send(offer);
    assert.equal(await browser.refusal(), "stale");
    desk.admitted[0]!.release();
    await browser.send(offer);
    assert.equal(desk.admitted.length, 1, "nor once its session is over");
    assert.equal(desk.log.lines.at(-1)?.fields?.reason, "stale");
    const restarted = await desk.restarted();
    const link = await desk.browser(signer);
    await restarted.admissions.receive(1, await makeOffer(link.handshake), link);
    assert.equal(await link.refusal(), "stale");
    assert.equal(restarted.admitted.length, 0);
  });
});

Deno.test("admission is silent to what it cannot read, and survives all of it", async () => {
  await Scene.run(async (desk) => {
    const signer = await newSigner();
    await desk.addOwner(signer);
    const browser = await desk.browser(signer);
    const offer = await makeOffer(browser.handshake);
    for (
      const junk of [
        offer.slice(0, 500),
        flipped(offer, 800),
        flipped(offer, 3),
        new Uint8Array([1]),
      ]
    ) {
      await browser.send(junk);
    }
    assert.deepEqual(browser.inbox, []);
    await browser.send(offer);
    assert.equal(desk.admitted.length, 1);
  });
});

Deno.test("admission limits the rate of offers before it opens any", async () => {
  await Scene.run(async (desk) => {
    const junk = new Uint8Array(1077).fill(1);
    const signer = await newSigner();
    await desk.addOwner(signer);
    const browser = await desk.browser(signer);
    for (let i = 0; i < 20; i++) await browser.send(junk);
    const offer = await makeOffer(browser.handshake);
    await browser.send(offer);
    assert.equal(desk.log.events.at(-1), "admission.limited");
    desk.world.monotonic += 1000;
    await browser.send(offer);
    assert.equal(desk.admitted.length, 1);
  });
});

Deno.test("admission is busy when the agent has no room, and says so to the browser", async () => {
  await Scene.run(async (desk) => {
    const signer = await newSigner();
    await desk.addOwner(signer);
    desk.hasRoom = false;
    const browser = await desk.browser(signer);
    await browser.offer();
    assert.equal(await browser.refusal(), "busy");
    assert.equal(desk.admitted.length, 0);
  });
});

Deno.test("admission is busy while too many claims are pending, and no longer than they are", async () => {
  await Scene.run(async (desk) => {
    const claims = [await desk.openWindow(), await desk.openWindow(), await desk.openWindow()];
    const isAdmitted = async (claim: Claim) => {
      const browser = await desk.browser(await newSigner(), { claim });
      await browser.offer();
      if (browser.inbox.length === 0) return true;
      assert.equal(await browser.refusal(), "busy");
      return false;
    };
    const first = await desk.browser(await newSigner(), { claim: claims[0]! });
    const admission = await first.admitted();
    assert.equal(await isAdmitted(claims[0]!), true);
    assert.equal(await isAdmitted(claims[0]!), false, "with one link");
    for (let i = 2; i < MAX_PENDING; i++) assert.equal(await isAdmitted(claims[1]!), true);
    assert.equal(await isAdmitted(claims[2]!), false);
    await first.confirm(admission);
    assert.equal(await isAdmitted(claims[2]!), false);
    await admission.confirmed();
    assert.equal(await isAdmitted(claims[2]!), true, "a confirmed session is not pending");
    assert.equal(await isAdmitted(claims[2]!), false);
    desk.admitted.at(-1)!.release();
    assert.equal(await isAdmitted(claims[2]!), true, "nor is one that ended");
    assert.equal(await isAdmitted(claims[2]!), false);
    desk.world.monotonic += PENDING_LIMIT_MS + 1;
    assert.equal(await isAdmitted(await desk.openWindow()), true, "nor one that hangs");
  });
});

Deno.test("admission lets a person's newest offer count, and others' alone", async () => {
  await Scene.run(async (desk) => {
    const [good, bad] = [await newSigner(), await newSigner()];
    for (const signer of [good, bad]) await desk.addOwner(signer);
    const honest = await (await desk.browser(good)).admitted();
    const admissions: AgentAdmission[] = [];
    for (let i = 0; i < 6; i++) admissions.push(await (await desk.browser(bad)).admitted());
    const ended = admissions.map(({ ended }) => ended.reason);
    assert.deepEqual(ended, [
      ...Array(6 - MAX_PENDING_OF_HOLDER).fill("limit"),
      undefined,
      undefined,
    ]);
    assert.equal(honest.ended.aborted, false);
    await (await desk.browser(good)).admitted();
  });
});

Deno.test("admission takes no second session of one id, whatever nonce it names", async () => {
  await Scene.run(async (desk) => {
    const signer = await newSigner();
    await desk.addOwner(signer);
    const sessionId = randomBytes(16);
    const offer = async (bootNonce: Bytes) => {
      const link = await desk.browser(signer);
      await link.send(await rawOffer(desk, signer, { sessionId, bootNonce }));
      return link;
    };
    const old = await nonceOf(desk);
    await offer(old);
    assert.equal(desk.admitted.length, 1);
    for (let i = 0; desk.presenceChanges === 0; i++) {
      assert.ok(i <= SEEN_UNTIL_CHANGE);
      desk.world.monotonic += 1000;
      await (await desk.browser(await newSigner())).offer();
    }
    const current = await nonceOf(desk);
    assert.notDeepEqual(current, old);
    const second = await offer(current);
    assert.deepEqual([desk.admitted.length, second.inbox.length], [1, 1]);
    assert.equal(desk.log.lines.at(-1)?.fields?.reason, "stale");
  });
});

Deno.test("admission uses up the link that an owner opens", async () => {
  await Scene.run(async (desk) => {
    const owner = await desk.owner();
    const claim = await desk.openWindow();
    await desk.enter(owner.signer, { claim, label: "Tablet" });
    assert.deepEqual(desk.pairing.openWindows(desk.world.monotonic), []);
    assert.equal(await desk.refusalOf(await newSigner(), { claim }), "claim_used");
    assert.deepEqual(desk.store.owners().map(({ label }) => label), ["Tablet"]);
    const [, line] = desk.audit.page({ limit: 9 }).filter(({ event }) => event === "owner.added")
      .toReversed();
    assert.match(line!.detail!, /^check \d{6}, link [0-9a-f]{8}$/);
    await desk.enter(owner.signer, { claim }); // it still is an owner, whatever its page remembers
  });
});

Deno.test("admission tells owners of who was let in and never proved to be there", async () => {
  await Scene.run(async (desk) => {
    const { fragment, id } = await desk.lend();
    const signer = await newSigner();
    const grants = await desk.grantsFrom(fragment, signer);
    (await (await desk.browser(signer, { grants })).admitted()).release();
    const owner = await desk.owner();
    owner.admission.release();
    const lines = desk.audit.page({ limit: 9 });
    const refused = lines.filter(({ event }) => event === "session.refused");
    assert.deepEqual(refused.map(({ grant, detail }) => [grant, detail]), [[id, "no_proof"]]);
  });
});

Deno.test("admission opens a bounded number of offers at once", async () => {
  await Scene.run(async (desk) => {
    const signer = await newSigner();
    await desk.addOwner(signer);
    const browsers = await Promise.all(Array.from({ length: 9 }, () => desk.browser(signer)));
    const offers = await Promise.all(browsers.map((browser) => makeOffer(browser.handshake)));
    await Promise.all(browsers.map((browser, i) => browser.send(offers[i]!)));
    assert.equal(desk.admitted.length, MAX_OPENING);
    const limited = desk.log.events.filter((event) => event === "admission.limited");
    assert.equal(limited.length, 9 - MAX_OPENING);
  });
});

Deno.test("admission gives no session to a browser that went away while it was judged", async () => {
  await Scene.run(async (desk) => {
    const signer = await newSigner();
    await desk.addOwner(signer);
    const browser = await desk.browser(signer);
    const offer = await makeOffer(browser.handshake);
    const received = browser.send(offer);
    desk.admissions.gone(browser.peer);
    await received;
    assert.equal(desk.admitted.length, 0);
    const stranger = await desk.browser(await newSigner());
    const refused = stranger.send(await makeOffer(stranger.handshake));
    desk.admissions.gone(stranger.peer);
    await refused;
    assert.deepEqual(stranger.inbox, []);
  });
});

Deno.test("admission gives one session to a browser that makes two offers at once", async () => {
  await Scene.run(async (desk) => {
    const signer = await newSigner();
    await desk.addOwner(signer);
    const [first, second] = [await desk.browser(signer), await desk.browser(signer)];
    const offers = [await makeOffer(first.handshake), await makeOffer(second.handshake)];
    await Promise.all(offers.map((offer) => desk.admissions.receive(7, offer, second)));
    assert.equal(desk.admitted.length, 1);
    await second.confirm(desk.admitted[0]!);
  });
});

Deno.test("admission leaves a session alone when its signalling is gone", async () => {
  await Scene.run(async (desk) => {
    const browser = await desk.browser(await newSigner(), { claim: await desk.openWindow() });
    const admission = await browser.admitted();
    await browser.confirm(admission);
    desk.admissions.gone(browser.peer);
    await admission.confirmed();
    await admission.sendCandidate(CANDIDATE);
    assert.deepEqual(browser.inbox, [], "the number may be another browser's by now");
    assert.equal(desk.store.owners().length, 1);
    admission.release();
    admission.release();
  });
});

Deno.test("admission asks for a new presence when its nonce has changed, and honours the old one", async () => {
  await Scene.run(async (desk) => {
    const old = await desk.browser(await newSigner());
    for (let i = 0; i < SEEN_UNTIL_CHANGE; i++) {
      assert.equal(desk.presenceChanges, 0);
      desk.world.monotonic += 1000;
      const stranger = await desk.browser(await newSigner());
      await stranger.offer();
      assert.equal(stranger.inbox.length, 1);
    }
    assert.equal(desk.presenceChanges, 1);
    await old.offer();
    assert.equal(await old.refusal(), "not_paired", "not stale");
  });
});

Deno.test("admission writes no secret to the log", async () => {
  await Scene.run(async (desk) => {
    const claim = await desk.openWindow();
    const browser = await desk.browser(await newSigner(), { claim });
    const admission = await browser.admitted();
    await browser.confirm(admission);
    await admission.confirmed();
    const text = JSON.stringify(desk.log.lines);
    assert.match(text, /owner\.added/);
    for (
      const secret of [BROWSER_TRANSPORT.pwd, BROWSER_TRANSPORT.ufrag, "candidate:", "203.0.113.7"]
    ) {
      assert.equal(text.includes(secret), false, secret);
    }
  });
});

Deno.test("admission reports an agent that throws and goes on", async () => {
  await Scene.run(async (desk) => {
    const signer = await newSigner();
    await desk.addOwner(signer);
    const { identity, entrance, passes, live, audit, log } = desk;
    const admissions = new Admissions({
      ...{ identity, entrance, passes, live, audit, log },
      monotonic: () => 0,
      hasRoom: () => true,
      onAdmission() {
        throw new Error("agent is full");
      },
      onPresenceChange() {},
    });
    const presence = await admissions.presence();
    const options = {
      devicePublicKey: identity.signer.publicKey,
      browser: signer,
      label: "x",
      time: 1,
    };
    for (let i = 0; i < MAX_OPENING + 1; i++) {
      const handshake = await BrowserHandshake.start({ ...options, presence });
      await admissions.receive(1, await makeOffer(handshake), { reply() {}, iceServers: [] });
    }
    const failed = log.events.filter((event) => event === "admission.failed");
    assert.equal(failed.length, MAX_OPENING + 1);
  });
});

/** What a session heard of restarts. */
function heardBy(person: Person): RestartMessage[] {
  const heard: RestartMessage[] = [];
  person.admission.onRestart((message) => heard.push(message));
  return heard;
}

const RESTART: RestartMessage = {
  kind: "credentials",
  generation: 1,
  ufrag: "abcd",
  pwd: "a".repeat(22),
};

Deno.test("admission finds the session of a restart that comes by another socket, and answers there", async () => {
  await Scene.run(async (desk) => {
    const person = await desk.owner();
    const { handshake, peer, inbox } = person.browser;
    const heard = heardBy(person);
    desk.admissions.gone(peer);
    inbox.length = 0;
    const elsewhere: Bytes[] = [];
    const link = { iceServers: [], reply: (sealed: Bytes) => void elsewhere.push(sealed) };
    const wire = await handshake.restarts().seal(RESTART);
    await desk.admissions.receive(peer + 1000, wire, link);
    assert.deepEqual(heard, [RESTART]);
    await person.admission.sendRestart({ ...RESTART, ufrag: "ours" });
    assert.deepEqual(await handshake.restarts().open(elsewhere[0]!), { ...RESTART, ufrag: "ours" });
    assert.deepEqual(inbox, []);
    desk.admissions.gone(peer + 1000);
    await person.admission.sendRestart(RESTART);
    assert.equal(elsewhere.length, 1, "nothing goes to a socket that is gone");
  });
});

Deno.test("admission drops restarts that are forged, repeated, or of nobody, and lets them move nothing", async () => {
  await Scene.run(async (desk) => {
    const person = await desk.owner();
    const { browser } = person;
    const heard = heardBy(person);
    const stolen: Bytes[] = [];
    const stranger = { iceServers: [], reply: (sealed: Bytes) => void stolen.push(sealed) };
    const wire = await browser.handshake.restarts().seal(RESTART);
    await desk.admissions.receive(7000, flipped(wire, 30), stranger); // a guess at the session
    await desk.admissions.receive(7000, flipped(wire, 3), stranger); // another session
    await desk.admissions.receive(7000, wire.slice(0, 100), stranger);
    assert.deepEqual(heard, []);
    await browser.send(wire);
    await desk.admissions.receive(7000, wire, stranger); // heard on the way
    assert.deepEqual(heard, [RESTART]);
    await person.admission.sendRestart(RESTART);
    assert.deepEqual(stolen, []);
  });
});

Deno.test("admission takes no restart for a session that did not confirm, or is over", async () => {
  await Scene.run(async (desk) => {
    const signer = await newSigner();
    await desk.addOwner(signer);
    const browser = await desk.browser(signer);
    const admission = await browser.admitted();
    await admission.answer(DEVICE_TRANSPORT);
    await browser.handshake.acceptAnswer(browser.inbox.shift()!);
    const heard: RestartMessage[] = [];
    admission.onRestart((message) => heard.push(message));
    await browser.send(await browser.handshake.restarts().seal(RESTART));
    assert.deepEqual(heard, []);

    const person = await desk.enter(signer);
    const heardLive = heardBy(person);
    person.admission.release();
    await person.browser.send(await person.browser.handshake.restarts().seal(RESTART));
    assert.deepEqual(heardLive, []);
  });
});

Deno.test("admission ends a session whose grant has ended instead of restarting it", async () => {
  await Scene.run(async (desk) => {
    const { fragment } = await desk.lend();
    const guest = await desk.guest(fragment);
    const heard = heardBy(guest);
    desk.world.pass(HOUR + 1); // and nobody has looked since
    assert.equal(guest.bye, undefined);
    await guest.browser.send(await guest.browser.handshake.restarts().seal(RESTART));
    assert.equal(guest.bye, "expired");
    assert.deepEqual(heard, []);
  });
});

Deno.test("admission bounds the restarts of a session, and what is tried for it", async () => {
  await Scene.run(async (desk) => {
    const person = await desk.owner();
    const heard = heardBy(person);
    const restarts = person.browser.handshake.restarts();
    for (let generation = 1; generation <= 30; generation++) {
      await person.browser.send(await restarts.seal({ ...RESTART, generation }));
    }
    assert.equal(heard.length, 8);
    for (let i = 0; i < 100; i++) {
      await person.browser.send(flipped(await restarts.seal(RESTART), 40));
    }
    const genuine = await restarts.seal({ ...RESTART, generation: 99 });
    await person.browser.send(genuine);
    assert.equal(heard.length, 8);
    desk.world.pass(10);
    await person.browser.send(await restarts.seal({ ...RESTART, generation: 100 }));
    assert.equal(heard.at(-1)!.generation, 100);
  });
});
