import assert from "node:assert/strict";
import type { Admission } from "../agent/seams.ts";
import { toHex } from "../lib/bytes.ts";
import { verifyChain } from "../trust/chain.ts";
import { randomBytes } from "../trust/digest.ts";
import { grantHash, readGrant, signGrant } from "../trust/grant.ts";
import { inviteSigner, makeInvite } from "../trust/invite_link.ts";
import { newSigner } from "../trust/test_ends.ts";
import { HOUR, override, type Person, Scene, type TestBrowser, World } from "./testing/scene.ts";

Deno.test("guests borrow what the board lends, and see that and no more", async () => {
  await Scene.run(async (scene) => {
    const { fragment, id } = await scene.lend({ operations: ["view", "operate"] });
    const guest = await scene.guest(fragment);
    assert.deepEqual(guest.admission.access, {
      role: "guest",
      services: new Set(["ui"]),
      cameras: new Set(["front"]),
      operations: new Set(["view", "operate"]),
    });
    assert.equal(guest.admission.desk, undefined);
    const { access, pass, audit, numberOf } = guest.admission.greeting();
    assert.deepEqual(access, {
      role: "guest",
      operations: ["view", "operate"],
      remainingSeconds: HOUR,
    });
    assert.equal(pass.length, 16);
    assert.deepEqual([audit, numberOf], [undefined, undefined]);
    assert.deepEqual(scene.household.grants(10).map((grant) => [grant.id, grant.state]), [
      [id, "used"],
    ]);
  });
});

Deno.test("guests borrow what an owner lends, registered or not", async () => {
  await Scene.run(async (scene) => {
    const owner = await scene.owner();
    const known = await owner.lend({ services: ["printer"], cameras: [] });
    const offline = await owner.invite({ cameras: ["back"] });
    const guest = await scene.guest(known.fragment);
    assert.deepEqual(guest.admission.access, {
      role: "guest",
      services: new Set(["printer"]),
      cameras: new Set(),
      operations: new Set(["view"]),
    });
    await scene.guest(offline.fragment);
    const { grants } = await owner.ask({ kind: "people" });
    assert.deepEqual(grants.map(({ label, state, issuer }) => [label, state, issuer]), [
      ["Guest", "used", owner.admission.holder],
      ["Plumber", "used", owner.admission.holder],
    ]);
  });
});

Deno.test("guests come back with the same browser, and count once", async () => {
  await Scene.run(async (scene) => {
    const { fragment } = await scene.lend();
    const guest = await scene.guest(fragment);
    guest.admission.release();
    const again = await scene.enter(guest.signer, { grants: guest.grants });
    assert.equal(again.admission.holder, guest.admission.holder);
    const fresh = await scene.grantsFrom(fragment, guest.signer);
    await scene.enter(guest.signer, { grants: fresh });
    assert.equal(scene.household.grants(1)[0]!.guests.length, 1);
  });
});

Deno.test("guests have cookies and logins of their own for each grant, kept over sessions", async () => {
  await Scene.run(async (scene) => {
    const { fragment } = await scene.lend();
    const guest = await scene.guest(fragment);
    const again = await scene.enter(guest.signer, { grants: guest.grants });
    assert.equal(again.admission.account, guest.admission.account);
    const other = await scene.lend();
    const grants = await scene.grantsFrom(other.fragment, guest.signer);
    const elsewhere = await scene.enter(guest.signer, { grants });
    assert.equal(elsewhere.admission.holder, guest.admission.holder);
    assert.notEqual(elsewhere.admission.account, guest.admission.account);
  });
});

Deno.test("guests beyond the uses of an invite are told so", async () => {
  await Scene.run(async (scene) => {
    const { fragment } = await scene.lend({ uses: 2 });
    await scene.guest(fragment);
    assert.equal(scene.household.grants(1)[0]!.state, "waiting");
    await scene.guest(fragment);
    const late = await newSigner();
    const grants = await scene.grantsFrom(fragment, late);
    assert.equal(await scene.refusalOf(late, { grants }), "grant_used");
  });
});

Deno.test("guests who race for one place: one comes in, the other is told", async () => {
  for (const order of [[0, 1], [1, 0]]) {
    await Scene.run(async (scene) => {
      const { fragment } = await scene.lend();
      const racers: { browser: TestBrowser; admission: Admission }[] = [];
      for (let i = 0; i < 2; i++) {
        const signer = await newSigner();
        const grants = await scene.grantsFrom(fragment, signer);
        const browser = await scene.browser(signer, { grants });
        racers.push({ browser, admission: await browser.admitted() });
      }
      for (const { browser, admission } of racers) await browser.confirm(admission);
      const results = await Promise.allSettled(
        order.map((i) => racers[i]!.admission.confirmed()),
      );
      assert.equal(results[0]!.status, "fulfilled");
      assert.ok(results[1]!.status === "rejected");
      assert.equal(results[1]!.reason.code, "grant_used");
      assert.equal(scene.household.grants(1)[0]!.guests.length, 1);
    });
  }
});

Deno.test("guests are believed to the store's last word", async () => {
  await Scene.run(async ({ identity, store }) => {
    for (const [word, code] of [["used_up", "grant_used"], ["full", "busy"]] as const) {
      const scene = new Scene(identity, store, undefined, override(store, { redeem: () => word }));
      await assert.rejects(scene.guest((await scene.lend()).fragment), { code });
    }
  });
});

Deno.test("guests are compared by the whole key, not by the id that they are looked up by", async () => {
  await Scene.run(async ({ identity, store }) => {
    const other = (await newSigner()).publicKey;
    const records = override(store, {
      guest: (grant, keyId) => ({
        ...{ grant, keyId, publicKey: other },
        ...{ label: "", redeemedAt: 0, spentSeconds: 0 },
      }),
    });
    const scene = new Scene(identity, store, undefined, records);
    const signer = await newSigner();
    const grants = await scene.grantsFrom((await scene.lend()).fragment, signer);
    assert.equal(await scene.refusalOf(signer, { grants }), "grant_invalid");
  });
});

Deno.test("guests may not come with another browser's grants, nor with forged or foreign ones", async () => {
  await Scene.run(async (scene) => {
    const { fragment } = await scene.lend();
    const [guest, thief] = [await newSigner(), await newSigner()];
    const grants = await scene.grantsFrom(fragment, guest);
    assert.equal(await scene.refusalOf(thief, { grants }), "grant_invalid");
    const [invite, last] = grants;
    const cut = last!.slice(0, -1);
    for (
      const forged of [[invite!], [last!], [invite!, cut], [last!, invite!], [new Uint8Array()]]
    ) {
      assert.equal(await scene.refusalOf(guest, { grants: forged }), "grant_invalid");
    }
    const { uses: _uses, kind: _kind, ...fields } = readGrant(invite!);
    const own = await signGrant("guest", { ...fields, holder: thief.publicKey }, thief);
    assert.equal(await scene.refusalOf(thief, { grants: [own] }), "grant_invalid");
    assert.equal(await scene.refusalOf(thief), "not_paired");
    scene.world.pass(20);
    await scene.enter(guest, { grants });
  });
});

Deno.test("guests may pass on what their grant allows, under its uses and its end", async () => {
  await Scene.run(async (scene) => {
    const owner = await scene.owner();
    const [first, second] = [await newSigner(), await newSigner()];
    const { epoch } = (await owner.ask({ kind: "people" })).issuing;
    const fields = {
      audience: scene.identity.id,
      holder: first.publicKey,
      id: crypto.getRandomValues(new Uint8Array(16)),
      notBefore: scene.clock.now(),
      expires: scene.clock.now() + HOUR,
      epoch,
      scope: {
        services: [scene.things.numberOf("service", "ui")],
        cameras: [],
        operations: ["view"],
      },
      depth: 1,
      ttl: HOUR,
    } as const;
    const direct = await signGrant("guest", fields, owner.signer);
    const passedOn = await signGrant("guest", {
      ...fields,
      holder: second.publicKey,
      id: crypto.getRandomValues(new Uint8Array(16)),
      depth: 0,
      ttl: 60,
      parent: await grantHash(direct),
    }, first);
    const friend = await scene.enter(second, { grants: [direct, passedOn] });
    const { access } = friend.admission.greeting();
    assert.equal(access.role === "guest" && access.remainingSeconds, 60);
    const guest = await scene.enter(first, { grants: [direct] });
    await owner.revoke(readGrant(passedOn).id);
    assert.deepEqual([friend.bye, guest.bye], ["revoked", undefined]);
    await owner.revoke(fields.id);
    assert.equal(guest.bye, "revoked", "what stands above ends what stands below");
  });
});

Deno.test("guests may pass on what they were lent, but not lend it by links of their own", async () => {
  await Scene.run(async (scene) => {
    const owner = await scene.owner();
    const [holder, friend] = [await newSigner(), await newSigner()];
    const { epoch } = (await owner.ask({ kind: "people" })).issuing;
    const link = await inviteSigner(randomBytes(16));
    const fields = {
      audience: scene.identity.id,
      notBefore: scene.clock.now(),
      expires: scene.clock.now() + HOUR,
      epoch,
      scope: scene.things.scopeOf({ services: ["ui"], cameras: [], operations: ["view"] }),
      ttl: HOUR,
    } as const;
    const lent = await signGrant(
      "guest",
      { ...fields, holder: holder.publicKey, id: randomBytes(16), depth: 2 },
      owner.signer,
    );
    const invite = await signGrant("invite", {
      ...{ ...fields, holder: link.publicKey, id: randomBytes(16), depth: 1, uses: 64 },
      parent: await grantHash(lent),
    }, holder);
    const last = await signGrant("guest", {
      ...{ ...fields, holder: friend.publicKey, id: randomBytes(16), depth: 0 },
      parent: await grantHash(invite),
    }, link);
    const grants = [lent, invite, last];
    await verifyChain({
      chain: grants,
      audience: scene.identity.id,
      roots: () => ({ publicKey: owner.signer.publicKey, epoch }),
    });
    assert.equal(await scene.refusalOf(friend, { grants }), "grant_invalid");
    assert.deepEqual(scene.household.grants(9), []);
    await scene.enter(holder, { grants: [lent] });
  });
});

Deno.test("guests of an owner who signed for epochs to come do not come in, before or after it paired again", async () => {
  await Scene.run(async (scene) => {
    const other = await scene.owner();
    const owner = await scene.owner();
    const hoarded = await Promise.all([1, 2, 1024, 0xffff_ffff].map((issuerEpoch) =>
      makeInvite({
        devicePublicKey: scene.identity.signer.publicKey,
        issuer: owner.signer,
        issuerEpoch,
        scope: scene.things.scopeOf({ services: ["ui"], cameras: [], operations: ["view"] }),
        notBefore: scene.clock.now(),
        expires: scene.clock.now() + HOUR,
        ttl: HOUR,
        uses: 1,
      })
    ));
    const refusals = async () => {
      const all = [];
      for (const { fragment } of hoarded) {
        scene.world.pass(1);
        const guest = await newSigner();
        all.push(
          await scene.refusalOf(guest, { grants: await scene.grantsFrom(fragment, guest) })
            .catch(() => "in"),
        );
      }
      return all;
    };
    assert.deepEqual(await refusals(), Array(4).fill("grant_revoked"));
    await other.remove(owner);
    await scene.enter(owner.signer, { claim: await scene.openWindow() });
    assert.deepEqual(await refusals(), Array(4).fill("grant_revoked"));
  });
});

/* ---- the end ----------------------------------------------------------------------------------------------- */

Deno.test("guests' sessions end within two seconds of their grant's end, and their page is told why", async () => {
  await Scene.run(async (scene) => {
    const { fragment } = await scene.lend({ seconds: 30 });
    const guest = await scene.guest(fragment);
    scene.pass(29);
    assert.equal(guest.bye, undefined);
    scene.pass(2);
    assert.equal(guest.bye, "expired");
    guest.admission.release();
    assert.equal(await scene.refusalOf(guest.signer, { grants: guest.grants }), "grant_expired");
    assert.equal(scene.household.grants(1)[0]!.state, "expired");
  });
});

Deno.test("guests who are late find the grant over, and those who are early that it has not begun", async () => {
  await Scene.run(async (scene) => {
    const owner = await scene.owner();
    const { fragment } = await scene.lend({ seconds: 30 });
    const ahead = await owner.lend({ notBefore: scene.clock.now() + 299 });
    await scene.guest(ahead.fragment);
    const future = await owner.lend({ notBefore: scene.clock.now() + 301 });
    scene.world.pass(0.5);
    const early = await newSigner();
    assert.equal(
      await scene.refusalOf(early, { grants: await scene.grantsFrom(future.fragment, early) }),
      "grant_expired",
    );
    scene.world.pass(30);
    const late = await newSigner();
    const grants = await scene.grantsFrom(fragment, late);
    assert.equal(await scene.refusalOf(late, { grants }), "grant_expired");
  });
});

Deno.test("guests go at once when their grant is revoked, by an owner or at the board", async () => {
  await Scene.run(async (scene) => {
    const owner = await scene.owner();
    const invite = await owner.lend({ uses: 2 });
    const board = await scene.lend();
    const guests = [
      await scene.guest(invite.fragment),
      await scene.guest(invite.fragment),
      await scene.guest(board.fragment),
    ];
    await owner.revoke(invite.id);
    assert.deepEqual(guests.map((guest) => guest.bye), ["revoked", "revoked", undefined]);
    const other = await scene.owner();
    await other.revoke(readGrant(guests[2]!.grants![0]!).id);
    assert.equal(guests[2]!.bye, "revoked");
    for (const { signer, grants } of guests) {
      assert.equal(await scene.refusalOf(signer, { grants }), "grant_revoked");
    }
    const restarted = await scene.restarted();
    const { signer, grants } = guests[0]!;
    assert.equal(await restarted.refusalOf(signer, { grants }), "grant_revoked");
    const states = scene.household.grants(10).map(({ state }) => state);
    assert.deepEqual(states, ["revoked", "revoked"]);
  });
});

Deno.test("guests whose grant is revoked between offer and confirmation do not come in", async () => {
  await Scene.run(async (scene) => {
    const owner = await scene.owner();
    const invite = await owner.lend();
    const signer = await newSigner();
    const grants = await scene.grantsFrom(invite.fragment, signer);
    const browser = await scene.browser(signer, { grants });
    const admission = await browser.admitted();
    await browser.confirm(admission);
    await owner.revoke(invite.id);
    await assert.rejects(admission.confirmed(), { code: "grant_revoked" });
    assert.equal(scene.household.grants(1)[0]!.guests.length, 0);
  });
});

Deno.test("guests of a removed owner go too, and do not come back when it pairs again", async () => {
  await Scene.run(async (scene) => {
    const [owner, other] = [await scene.owner(), await scene.owner()];
    const invite = await owner.lend();
    const unused = await owner.lend();
    const guest = await scene.guest(invite.fragment);
    const lentByOther = await scene.guest((await other.lend()).fragment);
    await other.remove(owner);
    assert.deepEqual([owner.bye, guest.bye], ["removed", "removed"]);
    assert.deepEqual([other.bye, lentByOther.bye], [undefined, undefined]);
    const { signer, grants } = guest;
    assert.equal(await scene.refusalOf(signer, { grants }), "grant_revoked");
    assert.equal(await scene.refusalOf(owner.signer), "not_paired");
    const listed = scene.household.grants(9).filter(({ state }) => state === "revoked");
    assert.deepEqual(listed.map(({ issuer }) => issuer), Array(2).fill(owner.admission.holder));

    await scene.enter(owner.signer, { claim: await scene.openWindow() });
    assert.equal(await scene.refusalOf(signer, { grants }), "grant_revoked");
    const late = await newSigner();
    const old = await scene.grantsFrom(unused.fragment, late);
    assert.equal(await scene.refusalOf(late, { grants: old }), "grant_revoked");
    const again = await scene.enter(owner.signer);
    await assert.rejects(
      again.ask({ kind: "lend", token: unused.token, label: "x" }),
      { code: "invalid" },
    );
    await scene.guest((await again.lend()).fragment);
  });
});

Deno.test("guests whose lender was removed and paired again meanwhile do not come in", async () => {
  await Scene.run(async (scene) => {
    const [owner, other] = [await scene.owner(), await scene.owner()];
    const signer = await newSigner();
    const grants = await scene.grantsFrom((await owner.lend()).fragment, signer);
    const browser = await scene.browser(signer, { grants });
    const admission = await browser.admitted();
    await browser.confirm(admission);
    await other.remove(owner);
    await scene.enter(owner.signer, { claim: await scene.openWindow() });
    await assert.rejects(admission.confirmed(), { code: "grant_revoked" });
  });
});

Deno.test("guests are kicked without losing their grant", async () => {
  await Scene.run(async (scene) => {
    const owner = await scene.owner();
    const guest = await scene.guest((await owner.lend()).fragment);
    await owner.ask({ kind: "kick", session: guest.admission.sessionId });
    assert.equal(guest.bye, "kicked");
    guest.admission.release();
    await scene.enter(guest.signer, { grants: guest.grants });
  });
});

Deno.test("a guest of whom nobody can tell whether it may stay goes, and owners stay", async () => {
  await Scene.run(async ({ identity, store }) => {
    let fails = false;
    const fail = () => {
      throw new Error("disk gone");
    };
    const records = override(store, {
      isRevoked: (id) => fails ? fail() : store.isRevoked(id),
      owner: (id) => fails ? fail() : store.owner(id),
    });
    const scene = new Scene(identity, store, undefined, records);
    const owner = await scene.owner();
    const guest = await scene.guest((await scene.lend()).fragment);
    fails = true;
    scene.heartbeat.beat();
    assert.deepEqual([owner.bye, guest.bye], [undefined, "closed"]);
    fails = false;
  });
});

/* ---- the clock --------------------------------------------------------------------------------------------- */

const YEARS = [2000, 2099].map((year) => Date.UTC(year, 0, 1) / 1000);

Deno.test("with a clock set to 2000 or 2099 owners enter, expired guests stay out, new ones are told of the time", async () => {
  for (const system of YEARS) {
    for (const synchronised of [false, true]) {
      await Scene.run(async (scene) => {
        const owner = await scene.owner();
        const expired = await scene.guest((await owner.lend({ seconds: 90 })).fragment);
        const current = await scene.guest((await owner.lend()).fragment);
        const waiting = await owner.lend();
        scene.pass(180);
        assert.equal(expired.bye, "expired");

        Object.assign(scene.world, { system, synchronised });
        const restarted = await scene.restarted();
        const refusal = async (fragment: string) => {
          const signer = await newSigner();
          return await restarted.refusalOf(signer, {
            grants: await scene.grantsFrom(fragment, signer),
          });
        };
        assert.equal(restarted.clock.knowledge(), "unknown");
        const { signer, grants } = expired;
        assert.equal(await restarted.refusalOf(signer, { grants }), "grant_expired");
        assert.equal(await refusal(waiting.fragment), "time_unknown");
        await restarted.enter(current.signer, { grants: current.grants });
        await restarted.enter(owner.signer, { time: system });
        assert.equal(restarted.clock.knowledge(), "unknown", "no owner is that wrong");
      });
    }
  }
});

Deno.test("an owner tells a board the time, and from then on dates count", async () => {
  const world = new World();
  await Scene.run(async (scene) => {
    const owner = await scene.owner();
    const invite = await owner.lend();
    const long = await owner.lend({ seconds: 24 * HOUR });
    world.pass(2 * HOUR);
    const truth = world.system;
    Object.assign(world, { system: YEARS[0], synchronised: false });
    const restarted = await scene.restarted();
    const signer = await newSigner();
    const grants = await scene.grantsFrom(invite.fragment, signer);
    assert.equal(await restarted.refusalOf(signer, { grants }), "time_unknown");
    await restarted.enter(owner.signer, { time: truth });
    assert.equal(restarted.clock.knowledge(), "attested");
    assert.equal(await restarted.refusalOf(signer, { grants }), "grant_expired");
    await restarted.guest(long.fragment);
  }, world);
});

Deno.test("nobody but an owner tells a board the time", async () => {
  const world = new World();
  world.synchronised = false;
  await Scene.run(async (scene) => {
    const { fragment } = await scene.lend();
    await scene.guest(fragment, { time: world.system + HOUR });
    await scene.refusalOf(await newSigner(), { time: world.system + HOUR });
    assert.equal(scene.clock.knowledge(), "unknown");
    const signer = await newSigner();
    await scene.addOwner(signer);
    const browser = await scene.browser(signer);
    await browser.admitted();
    assert.equal(scene.clock.knowledge(), "unknown", "not before it has proved to be there");
  }, world);
});

Deno.test("without a clock a grant made in this run lets guests in, for as long as it was made for", async () => {
  const world = new World();
  Object.assign(world, { synchronised: false, system: 0 });
  await Scene.run(async (scene) => {
    const { fragment } = await scene.lend({ uses: 3 });
    const guest = await scene.guest(fragment);
    const { access } = guest.admission.greeting();
    assert.equal(access.role === "guest" && access.remainingSeconds, HOUR);
    const other = await newSigner();
    const grants = await scene.grantsFrom(fragment, other);
    scene.world.monotonic += HOUR * 1000;
    scene.heartbeat.beat();
    assert.equal(guest.bye, "expired", "its ttl is spent");
    await scene.enter(other, { grants }); // an hour from its own first visit: nobody knows how late it is
    const late = await newSigner();
    scene.world.monotonic += 400 * 24 * HOUR * 1000;
    const same = await scene.grantsFrom(fragment, late);
    assert.equal(await scene.refusalOf(late, { grants: same }), "grant_expired");
  }, world);
});

Deno.test("a guest's ttl counts on the monotonic clock, wherever the system's clock goes", async () => {
  const world = new World();
  world.synchronised = false;
  await Scene.run(async (scene) => {
    const guest = await scene.guest((await scene.lend({ seconds: 600 })).fragment);
    for (const system of [0, YEARS[1]!, world.system - 5000]) {
      world.system = system;
      scene.world.monotonic += 190_000;
      scene.heartbeat.beat();
      assert.equal(guest.bye, undefined);
    }
    world.monotonic += 30_000;
    scene.heartbeat.beat();
    assert.equal(guest.bye, "expired");
  }, world);
});

Deno.test("a guest's ttl begins when the guest comes", async () => {
  const world = new World();
  world.synchronised = false;
  await Scene.run(async (scene) => {
    world.pass(500);
    const { fragment } = await scene.lend({ seconds: 600, uses: 2 });
    const remaining = (guest: Person) => {
      const { access } = guest.admission.greeting();
      return access.role === "guest" ? access.remainingSeconds : undefined;
    };
    const first = await scene.guest(fragment);
    assert.equal(remaining(first), 600);
    scene.pass(130);
    const second = await scene.guest(fragment);
    assert.deepEqual([remaining(first), remaining(second)], [470, 600]);
    scene.pass(130);
    assert.deepEqual([remaining(first), remaining(second)], [340, 470]);
  }, world);
});

Deno.test("a guest's ttl survives restarts: a killed one gives a minute back, a stopped one nothing", async () => {
  const world = new World();
  world.synchronised = false;
  await Scene.run(async (scene) => {
    const { fragment } = await scene.lend({ seconds: 600 });
    const { signer, grants } = await scene.guest(fragment);
    const remaining = async (run: Scene) => {
      const { access } = (await run.enter(signer, { grants })).admission.greeting();
      assert.ok(access.role === "guest");
      return access.remainingSeconds;
    };
    scene.pass(150);
    const killed = await scene.restarted("killed");
    const afterKill = await remaining(killed);
    assert.ok(afterKill >= 450 && afterKill <= 510, String(afterKill));
    killed.pass(45);
    const stopped = await killed.restarted("stopped");
    assert.equal(await remaining(stopped), afterKill - 45);
    stopped.pass(afterKill - 45 + 1);
    assert.equal(await stopped.refusalOf(signer, { grants }), "grant_expired");
    const last = await stopped.restarted("stopped");
    assert.equal(await last.refusalOf(signer, { grants }), "grant_expired");
    assert.equal(scene.household.grants(1).length, 1);
  }, world);
});

/* ---- the log ----------------------------------------------------------------------------------------------- */

Deno.test("guests' visits are in the log: who, with which grant, what, and that it ended", async () => {
  await Scene.run(async (scene) => {
    const { fragment, id } = await scene.lend({ operations: ["view"] });
    const guest = await scene.guest(fragment);
    guest.admission.used({ kind: "service", id: "ui", allowed: true });
    guest.admission.used({ kind: "camera", id: "back", allowed: false });
    guest.admission.used({ kind: "owner-request", id: "people", allowed: false });
    guest.admission.used({ kind: "service", id: "no\nsuch <id>", allowed: false });
    scene.world.pass(60);
    guest.admission.release();
    guest.admission.used({ kind: "service", id: "printer", allowed: false });
    const lines = scene.audit.page({ limit: 20 }).reverse();
    const { holder } = guest.admission;
    const who = { holder, label: "Phone", grant: id };
    assert.deepEqual(lines.map(({ sequence: _s, at: _a, ...line }) => line), [
      { event: "grant.lent", grant: id, detail: "Plumber" },
      { event: "guest.added", ...who },
      { event: "session.opened", ...who, detail: "view ui,camera:front" },
      { event: "service.used", ...who, detail: "ui" },
      { event: "camera.refused", ...who, detail: "back" },
      { event: "request.refused", ...who, detail: "people" },
      { event: "service.refused", ...who, detail: "?" },
      { event: "session.closed", ...who, detail: "after 60 s" },
    ]);
    assert.equal(toHex(readGrant(guest.grants![0]!).id), id);
  });
});
