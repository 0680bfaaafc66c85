import assert from "node:assert/strict";
import { fromHex, toHex, utf8 } from "../lib/bytes.ts";
import { decodeControl, encodeControl } from "../protocol/control_codec.ts";
import type { OwnerRequest } from "../protocol/owner.ts";
import { signEnvelope } from "../trust/cose.ts";
import { assembleGrant, openGrant, readGrant } from "../trust/grant.ts";
import { makeInvite } from "../trust/invite_link.ts";
import { signRevocation } from "../trust/revocation.ts";
import { newSigner } from "../trust/test_ends.ts";
import { MAX_LISTED_GRANTS } from "./household.ts";
import { AUDIT_PAGE } from "./owner_desk.ts";
import { claimOf, HOUR, override, type Person, Scene, START, World } from "./testing/scene.ts";

const YEAR_2099 = Date.UTC(2099, 0, 1) / 1000;

async function refused(person: Person, request: OwnerRequest, code: string): Promise<void> {
  await assert.rejects(person.ask(request), { code }, request.kind);
}

Deno.test("owners read who is let in, by what, and who is here", async () => {
  await Scene.run(async (scene) => {
    const owner = await scene.owner();
    const other = await scene.owner({ label: "Tablet" });
    scene.world.pass(10);
    other.admission.release();
    const invite = await owner.lend({ operations: ["view", "operate"], uses: 2 });
    const guest = await scene.guest(invite.fragment);
    const { kind, owners, grants, sessions, issuing } = await owner.ask({ kind: "people" });
    assert.equal(kind, "people");
    assert.deepEqual(owners.map(({ label, you, lastSeen }) => [label, you, lastSeen]).sort(), [
      ["Firefox", true, START],
      ["Tablet", false, START + 10],
    ]);
    assert.deepEqual(grants, [{
      id: toHex(invite.id),
      label: "Plumber",
      issuer: owner.admission.holder,
      services: ["ui"],
      cameras: ["front"],
      operations: ["view", "operate"],
      expires: START + 10 + HOUR,
      uses: 2,
      state: "waiting",
      guests: [{ id: guest.admission.holder, label: "Phone", redeemedAt: START + 10 }],
    }]);
    const [first, second] = [owner.admission, guest.admission];
    assert.deepEqual(sessions, [
      {
        id: first.sessionId,
        holder: first.holder,
        label: "Firefox",
        role: "owner",
        since: START,
        you: true,
      },
      {
        id: second.sessionId,
        holder: second.holder,
        label: "Phone",
        role: "guest",
        grant: toHex(invite.id),
        since: START + 10,
        you: false,
      },
    ]);
    assert.deepEqual(issuing, { epoch: 0, sequence: 1, time: START + 10 });
  });
});

Deno.test("owners are greeted with the log's end and with numbers for what they may lend", async () => {
  await Scene.run(async (scene) => {
    const owner = await scene.owner();
    const greeting = owner.admission.greeting();
    assert.deepEqual(greeting.access, { role: "owner" });
    assert.deepEqual(owner.admission.access, { role: "owner" });
    assert.deepEqual(greeting.audit, scene.store.auditHead());
    const numbers = ["ui", "printer"].map((id) => greeting.numberOf!("service", id));
    assert.equal(new Set(numbers).size, 2);
    const { hash } = await owner.ask({ kind: "audit-hash", sequence: greeting.audit!.sequence });
    assert.deepEqual(hash, greeting.audit!.hash);
    assert.deepEqual(await owner.ask({ kind: "audit-hash", sequence: 99 }), { kind: "audit-hash" });
  });
});

Deno.test("owners pair another browser by a link, and no one else by it", async () => {
  await Scene.run(async (scene) => {
    const owner = await scene.owner();
    const { fragment, forSeconds, id } = await owner.ask({ kind: "pair", forSeconds: 600 });
    assert.equal(forSeconds, 600);
    assert.deepEqual(scene.pairing.openWindows(scene.world.monotonic), [id]);
    const claim = await claimOf(fragment);
    await scene.owner({ claim });
    assert.equal(scene.store.owners().length, 2);
    assert.equal(await scene.refusalOf(await newSigner(), { claim }), "claim_used");
    await refused(owner, { kind: "pair", forSeconds: 1 }, "limit");
    for (let i = 0; i < 2; i++) await owner.ask({ kind: "pair", forSeconds: 60 });
    await refused(owner, { kind: "pair", forSeconds: 60 }, "limit");
  });
});

Deno.test("owners see which pairing links are good, and end any of them", async () => {
  await Scene.run(async (scene) => {
    const [owner, other] = [await scene.owner({ label: "Tablet" }), await scene.owner()];
    assert.equal((await owner.ask({ kind: "people" })).windows, undefined);
    const { id, fragment } = await owner.ask({ kind: "pair", forSeconds: 600 });
    const board = await scene.household.openPairing(60_000);
    assert.deepEqual((await other.ask({ kind: "people" })).windows, [
      { id, label: "Tablet", expires: START + 600 },
      { id: board.id, expires: START + 60 },
    ]);
    let told = 0;
    owner.admission.desk!.onChange(() => told++);
    assert.deepEqual(await other.ask({ kind: "unpair", id }), { kind: "done" });
    assert.equal(told, 1);
    await refused(other, { kind: "unpair", id }, "unknown");
    const claim = await claimOf(fragment);
    assert.equal(await scene.refusalOf(await newSigner(), { claim }), "claim_expired");
    assert.deepEqual(scene.pairing.openWindows(scene.world.monotonic), [board.id]);
  });
});

Deno.test("an owner who is removed while its pairing link is made leaves no window open", async () => {
  await Scene.run(async (scene) => {
    const [owner, other] = [await scene.owner(), await scene.owner()];
    const record = scene.store.owner(fromHex(other.admission.holder))!;
    const opening = scene.household.openPairing(60_000, record);
    scene.household.removeOwner(record.keyId);
    await assert.rejects(opening, { code: "refused" });
    assert.deepEqual((await owner.ask({ kind: "people" })).windows, undefined);
  });
});

Deno.test("a removed owner leaves no window open behind it", async () => {
  await Scene.run(async (scene) => {
    const [owner, other] = [await scene.owner(), await scene.owner()];
    const { fragment } = await owner.ask({ kind: "pair", forSeconds: 600 });
    const kept = await other.ask({ kind: "pair", forSeconds: 600 });
    await other.remove(owner);
    assert.deepEqual(scene.pairing.openWindows(scene.world.monotonic), [kept.id]);
    const claim = await claimOf(fragment);
    assert.equal(await scene.refusalOf(owner.signer, { claim }), "claim_expired");
  });
});

Deno.test("owners register only what they signed themselves, for this device, and what still holds", async () => {
  await Scene.run(async (scene) => {
    const [owner, other] = [await scene.owner(), await scene.owner()];
    const invite = await owner.invite();
    const label = "Plumber";
    await refused(other, { kind: "lend", token: invite.token, label }, "invalid");
    await refused(owner, { kind: "lend", token: utf8("junk"), label }, "invalid");
    const changed = invite.token.slice();
    changed[changed.length - 1]! ^= 1;
    await refused(owner, { kind: "lend", token: changed, label }, "invalid");
    const signer = await newSigner();
    const [, guest] = await scene.grantsFrom(invite.fragment, signer);
    await refused(owner, { kind: "lend", token: guest!, label }, "invalid");
    const read = readGrant(invite.token);
    const { holder } = other.admission;
    const inOthersName = assembleGrant({ ...read, issuer: fromHex(holder) }, new Uint8Array(64));
    const { payload } = openGrant(inOthersName).envelope;
    const forged = await signEnvelope("invite", payload, owner.signer);
    await refused(owner, { kind: "lend", token: forged, label }, "invalid");
    const elsewhere = await makeInvite({
      ...read,
      devicePublicKey: signer.publicKey,
      issuer: owner.signer,
      issuerEpoch: read.epoch,
      uses: 1,
    });
    await refused(owner, { kind: "lend", token: elsewhere.token, label }, "invalid");
    await owner.ask({ kind: "lend", token: invite.token, label });
    await owner.ask({ kind: "lend", token: invite.token, label: "again" });
    assert.deepEqual(scene.household.grants(9).map((grant) => grant.label), [label]);
    const ahead = await makeInvite({
      ...read,
      devicePublicKey: scene.identity.signer.publicKey,
      issuer: owner.signer,
      issuerEpoch: read.epoch + 1,
      uses: 1,
    });
    await refused(owner, { kind: "lend", token: ahead.token, label }, "invalid");
    const past = await owner.invite({ seconds: 5 });
    scene.world.pass(10);
    await refused(owner, { kind: "lend", token: past.token, label }, "invalid");
  });
});

Deno.test("owners are told when too much is lent", async () => {
  await Scene.run(async ({ identity, store }) => {
    const records = override(store, { addGrant: () => "full" });
    const scene = new Scene(identity, store, undefined, records);
    const owner = await scene.owner();
    await assert.rejects(owner.lend(), { code: "limit" });
    await assert.rejects(scene.lend(), /too many grants are open/);
  });
});

Deno.test("owners end things by statements: of an owner, for this device, each number once", async () => {
  await Scene.run(async (scene) => {
    const [owner, other] = [await scene.owner(), await scene.owner()];
    const [first, second] = [await owner.lend(), await owner.lend()];
    const statement = await owner.statement({ kind: "grant", id: first.id }, 5);
    await refused(other, { kind: "revoke", statement: statement.slice(1) }, "invalid");
    await other.ask({ kind: "revoke", statement });
    await owner.ask({ kind: "revoke", statement });
    assert.equal((await owner.ask({ kind: "people" })).issuing.sequence, 6);
    const old = await owner.statement({ kind: "grant", id: second.id }, 5);
    await refused(owner, { kind: "revoke", statement: old }, "invalid");
    const oldRemoval = await owner.statement({
      kind: "owner",
      id: fromHex(other.admission.holder),
    }, 5);
    await refused(owner, { kind: "revoke", statement: oldRemoval }, "invalid");
    const fields = {
      issuedAt: START,
      target: { kind: "grant", id: second.id },
      sequence: 9,
    } as const;
    const foreign = await signRevocation({ ...fields, audience: new Uint8Array(16) }, owner.signer);
    await refused(owner, { kind: "revoke", statement: foreign }, "invalid");
    const audience = scene.identity.id;
    const stranger = await signRevocation({ ...fields, audience }, await newSigner());
    await refused(owner, { kind: "revoke", statement: stranger }, "invalid");
    assert.deepEqual(scene.household.grants(9).map(({ state }) => state), ["waiting", "revoked"]);
  });
});

Deno.test("owners end a grant that the device never saw", async () => {
  await Scene.run(async (scene) => {
    const owner = await scene.owner();
    const invite = await owner.invite();
    await owner.revoke(invite.id);
    await assert.rejects(scene.guest(invite.fragment), /grant_revoked/);
  });
});

Deno.test("owners remove each other and themselves, but never the last one", async () => {
  await Scene.run(async (scene) => {
    const [owner, other] = [await scene.owner(), await scene.owner()];
    await assert.rejects(
      owner.ask({
        kind: "revoke",
        statement: await owner.statement({ kind: "owner", id: new Uint8Array(8) }),
      }),
      { code: "unknown" },
    );
    const kept = await owner.statement({ kind: "owner", id: fromHex(other.admission.holder) }, 50);
    await other.remove(other);
    assert.equal(other.bye, "removed");
    await refused(other, { kind: "people" }, "refused");
    await assert.rejects(owner.remove(owner), { code: "refused" });
    assert.equal(owner.bye, undefined);
    assert.equal(scene.store.owners().length, 1);
    const id = scene.store.owners()[0]!.keyId;
    assert.throws(() => scene.household.removeOwner(id), /pair another browser first/);
    await refused(owner, { kind: "revoke", statement: kept }, "unknown");
  });
});

Deno.test("owners' pages are told of what changes, until their session ends", async () => {
  await Scene.run(async (scene) => {
    const owner = await scene.owner();
    let told = 0;
    owner.admission.desk!.onChange(() => assert.fail("replaced"));
    owner.admission.desk!.onChange(() => {
      told++;
      assert.ok(scene.household.sessions().length > 0, "may be asked for at once");
    });
    const isTold = async (step: () => Promise<unknown>) => {
      const before = told;
      await step();
      assert.ok(told > before, String(step));
    };
    let guest: Person;
    const invite = await owner.invite();
    await isTold(() => owner.ask({ kind: "lend", token: invite.token, label: "x" }));
    await isTold(async () => guest = await scene.guest(invite.fragment));
    await isTold(() => Promise.resolve(guest.admission.release()));
    await isTold(() => owner.revoke(invite.id));
    await isTold(() => scene.owner());
    owner.admission.release();
    const before = told;
    await scene.owner();
    assert.equal(told, before);
  });
});

Deno.test("owners kick whoever is there, also themselves, and nobody who is not", async () => {
  await Scene.run(async (scene) => {
    const owner = await scene.owner();
    await refused(owner, { kind: "kick", session: "00".repeat(16) }, "unknown");
    await owner.ask({ kind: "kick", session: owner.admission.sessionId });
    assert.equal(owner.bye, "kicked");
    assert.deepEqual(scene.household.sessions(), []);
    await refused(owner, { kind: "kick", session: owner.admission.sessionId }, "unknown");
  });
});

Deno.test("owners read the log page by page, the newest first, each page fit for a message", async () => {
  await Scene.run(async (scene) => {
    const owner = await scene.owner({ label: "x".repeat(64) });
    const { holderId, label } = {
      holderId: fromHex(owner.admission.holder),
      label: "x".repeat(64),
    };
    const actor = { holder: holderId, label, grant: new Uint8Array(16) };
    for (let i = 0; i < 70; i++) scene.audit.note("session.refused", actor, "y".repeat(500));
    const first = await owner.ask({ kind: "audit" });
    assert.equal(first.entries.length, AUDIT_PAGE);
    const message = { type: "owner-reply", id: 2 ** 31, reply: first } as const;
    assert.deepEqual(decodeControl(encodeControl(message)), message);
    const all = [...first.entries];
    for (;;) {
      const { entries } = await owner.ask({ kind: "audit", before: all.at(-1)!.sequence });
      if (entries.length === 0) break;
      all.push(...entries);
    }
    const sequences = all.map(({ sequence }) => sequence);
    assert.deepEqual(sequences, Array.from(sequences, (_, i) => sequences[0]! - i));
    assert.equal(sequences.at(-1), 1);
  });
});

Deno.test("owners' list of people has what is open first, and a bounded number of it", async () => {
  await Scene.run(async (scene) => {
    const owner = await scene.owner();
    const past = await scene.lend({ seconds: 5, label: "past" });
    const ended = await owner.lend();
    await owner.revoke(ended.id);
    const open = await scene.lend({ label: "open" });
    scene.pass(10);
    const { grants } = await owner.ask({ kind: "people" });
    assert.deepEqual(grants.map(({ id, state }) => [id, state]), [
      [open.id, "waiting"],
      [toHex(ended.id), "revoked"],
      [past.id, "expired"],
    ]);
    for (let i = 0; i < 70; i++) await scene.lend();
    const people = await owner.ask({ kind: "people" });
    assert.equal(people.grants.length, MAX_LISTED_GRANTS);
    assert.equal(people.omitted, scene.store.grants().length - MAX_LISTED_GRANTS);
  });
});

Deno.test("owners see what is open, however many newer grants were ended", async () => {
  await Scene.run(async (scene) => {
    const owner = await scene.owner();
    const open = await scene.lend({ label: "still open" });
    for (let i = 0; i < MAX_LISTED_GRANTS; i++) {
      scene.household.revokeGrant(fromHex((await scene.lend()).id));
    }
    const { grants, omitted } = await owner.ask({ kind: "people" });
    assert.equal(grants[0]!.id, open.id);
    assert.deepEqual([grants.length, omitted], [MAX_LISTED_GRANTS, 1]);
  });
});

Deno.test("owners' pages hear of what the board lends, and of what ends by itself", async () => {
  await Scene.run(async (scene) => {
    const owner = await scene.owner();
    let told = 0;
    owner.admission.desk!.onChange(() => told++);
    await scene.lend({ seconds: 60 });
    assert.equal(told, 1);
    scene.pass(50);
    assert.equal(told, 1);
    scene.pass(20);
    assert.equal(told, 2);
  });
});

Deno.test("what is lent before the time is known lasts from the first visit on", async () => {
  const world = new World();
  Object.assign(world, { synchronised: false, system: YEAR_2099 });
  await Scene.run(async (scene) => {
    const owner = await scene.owner({ time: YEAR_2099 });
    assert.equal(scene.clock.knowledge(), "unknown", "no owner is that wrong");
    const board = await scene.lending.lend({
      ...{ services: ["ui"], cameras: [], operations: ["view"], seconds: HOUR, uses: 1 },
    });
    assert.equal(board.begins, "first-visit");
    const links = [board.fragment, (await owner.lend()).fragment];
    Object.assign(world, { synchronised: true, system: START });
    scene.pass(15);
    assert.equal(scene.clock.knowledge(), "synchronised");
    for (const link of links) {
      const guest = await scene.guest(link);
      const { access } = guest.admission.greeting();
      assert.equal(access.role === "guest" && access.remainingSeconds, HOUR);
    }
    const { begins, expires } = await scene.lending.lend({
      ...{ services: ["ui"], cameras: [], operations: ["view"], seconds: HOUR, uses: 1 },
    });
    assert.deepEqual([begins, expires], ["now", scene.clock.now() + HOUR]);
    assert.equal((await owner.ask({ kind: "people" })).issuing.slack, undefined);
  }, world);
});

Deno.test("owners get a code and no inner words when the store fails", async () => {
  await Scene.run(async ({ identity, store }) => {
    let fails = false;
    const fail = (name: string) => {
      throw Object.assign(new Error("no room"), { name });
    };
    let name = "Error";
    const records = override(store, {
      revoke: (...given) => fails ? fail(name) : store.revoke(...given),
    });
    const scene = new Scene(identity, store, undefined, records);
    const owner = await scene.owner();
    const id = new Uint8Array(16);
    const statement = await owner.statement({ kind: "grant", id });
    fails = true;
    await refused(owner, { kind: "revoke", statement }, "failed");
    name = "LimitError";
    await refused(owner, { kind: "revoke", statement }, "limit");
  });
});
