import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { type Bytes, concat, utf8 } from "../lib/bytes.ts";
import { verifyChain } from "./chain.ts";
import { checkNumber } from "./check_number.ts";
import { decodeEnvelope, signEnvelope } from "./cose.ts";
import { randomBytes } from "./digest.ts";
import { BrowserHandshake, DeviceHandshake, HandshakeError } from "./handshake.ts";
import type { Confirmation } from "./handshake.ts";
import { claimKey } from "./claim_proof.ts";
import { REFUSAL_REASONS } from "./handshake_error.ts";
import { redeemInvite } from "./invite_link.ts";
import { deviceId } from "./key_id.ts";
import { openOffer, sealOffer } from "./offer.ts";
import { pad } from "./padding.ts";
import { generateExchangeKey, sealTo } from "./seal.ts";
import {
  BROWSER_TRANSPORT,
  CANDIDATE,
  DEVICE_TRANSPORT,
  flipped,
  holdsText,
  makeOffer,
  newClaim,
  newDevice,
  newInvite,
  newSigner,
  NOON,
  presenceOf,
  receiveOffer,
  shake,
  startBrowser,
  transport,
} from "./test_ends.ts";

/** Asserts that a step rejects with a HandshakeError of one of these codes. */
async function assertRefused(step: Promise<unknown>, ...codes: string[]): Promise<void> {
  await assert.rejects(step, (error) => {
    assert.ok(error instanceof HandshakeError, `another error: ${error}`);
    assert.ok(codes.includes(error.code), `code ${error.code}, wanted ${codes}`);
    return true;
  });
}

const SEEN = {
  browser: { local: BROWSER_TRANSPORT.fingerprint, remote: DEVICE_TRANSPORT.fingerprint },
  device: { local: DEVICE_TRANSPORT.fingerprint, remote: BROWSER_TRANSPORT.fingerprint },
};

async function exchangeNonces(browser: Confirmation, device: Confirmation) {
  const fromBrowser = await browser.start(SEEN.browser);
  const fromDevice = await device.start(SEEN.device);
  const browserProof = await browser.receive(fromDevice);
  const deviceProof = await device.receive(fromBrowser);
  assert.ok(browserProof && deviceProof);
  return { fromBrowser, fromDevice, browserProof, deviceProof };
}

Deno.test("handshake brings both ends to the same fields and a confirmed channel", async () => {
  const testDevice = await newDevice();
  const signer = await newSigner();
  const browser = await startBrowser(testDevice, {
    browser: signer,
    label: " Firefox\u202e on\nLinux",
  });
  const device = await receiveOffer(testDevice, await makeOffer(browser));
  assert.deepEqual(device.browserPublicKey, signer.publicKey);
  assert.deepEqual(device.remote, BROWSER_TRANSPORT);
  assert.deepEqual(device.candidates, [CANDIDATE]);
  assert.equal(device.label, "Firefox onLinux");
  assert.equal(device.claim, undefined);
  assert.equal(device.objection, undefined);
  const remote = await browser.acceptAnswer(await device.answer(DEVICE_TRANSPORT));
  assert.deepEqual(remote, DEVICE_TRANSPORT);

  const other = CANDIDATE.replace("46154", "1");
  assert.equal(await device.openCandidate(await browser.sealCandidate(CANDIDATE)), CANDIDATE);
  assert.equal(await browser.openCandidate(await device.sealCandidate(other)), other);
  assert.equal(await browser.openCandidate(await device.sealCandidate(CANDIDATE)), CANDIDATE);

  const [mine, theirs] = [browser.confirmation(), device.confirmation()];
  const { browserProof, deviceProof } = await exchangeNonces(mine, theirs);
  assert.equal(mine.done, false);
  assert.equal(await mine.receive(deviceProof), undefined);
  assert.equal(await theirs.receive(browserProof), undefined);
  assert.equal(mine.done && theirs.done, true);
  assert.equal(browser.confirmation(), mine);
});

Deno.test("handshake proves the secret of a claim to the device without sending it", async () => {
  const testDevice = await newDevice();
  const claim = await newClaim(testDevice);
  const browser = await startBrowser(testDevice, { claim });
  const device = await receiveOffer(testDevice, await makeOffer(browser));
  assert.deepEqual(device.claim?.token, claim.token);
  assert.equal(await device.provesClaim(await claimKey(claim.secret)), true);
  assert.equal(await device.provesClaim(await claimKey(randomBytes(16))), false);
  const without = await receiveOffer(testDevice, await makeOffer(await startBrowser(testDevice)));
  assert.equal(await without.provesClaim(await claimKey(claim.secret)), false);
});

Deno.test("handshake brings a guest's chain and the browser's time to the device", async () => {
  const testDevice = await newDevice();
  const [owner, guest] = [await newSigner(), await newSigner()];
  const { link } = await newInvite(testDevice, owner);
  const grants = await redeemInvite(link, guest.publicKey);
  const browser = await startBrowser(testDevice, { browser: guest, grants, time: NOON + 0.9 });
  const device = await receiveOffer(testDevice, await makeOffer(browser));
  assert.deepEqual(device.grants, grants);
  assert.equal(device.time, NOON);
  assert.equal(device.claim, undefined);
  const { holder } = await verifyChain({
    chain: device.grants ?? [],
    audience: await deviceId(testDevice.signer.publicKey),
    roots: () => ({ publicKey: owner.publicKey, epoch: 0 }),
  });
  assert.deepEqual(holder, device.browserPublicKey);
  const without = await receiveOffer(testDevice, await makeOffer(await startBrowser(testDevice)));
  assert.equal(without.grants, undefined);
});

Deno.test("handshake sends a time that is far off as the nearest that fits", async () => {
  const testDevice = await newDevice();
  const times: [number, number][] = [[-5, 0], [2 ** 40, 2 ** 32 - 1], [0, 0]];
  for (const [time, told] of times) {
    const offer = await makeOffer(await startBrowser(testDevice, { time }));
    assert.equal((await receiveOffer(testDevice, offer)).time, told);
  }
});

Deno.test("handshake takes the longest chain and a claim with many candidates", async () => {
  const testDevice = await newDevice();
  const grants = [new Uint8Array(1024 - 60), new Uint8Array(30), new Uint8Array(30)];
  const many = Array.from({ length: 18 }, () => CANDIDATE);
  const browser = await startBrowser(testDevice, { grants });
  const device = await receiveOffer(testDevice, await makeOffer(browser, many));
  assert.deepEqual(device.grants, grants);
  assert.equal(device.candidates.length, 18);
});

Deno.test("handshake does not start with a claim and grants at once", async () => {
  const testDevice = await newDevice();
  const claim = await newClaim(testDevice);
  await assertRefused(startBrowser(testDevice, { claim, grants: [claim.token] }), "malformed");
});

Deno.test("handshake shows both ends the same check number, and another to each pair", async () => {
  const numbers = new Set<string>();
  for (let i = 0; i < 5; i++) {
    const { browser, device, offer, answer } = await shake();
    const number = await browser.checkNumber();
    assert.match(number, /^[0-9]{6}$/);
    assert.equal(await device.checkNumber(), number);
    assert.equal(await checkNumber(offer, answer), number);
    numbers.add(number);
  }
  assert.ok(numbers.size > 1);
  const early = await startBrowser(await newDevice());
  await assert.rejects(early.checkNumber(), /handshake is ready/);
});

Deno.test("check number follows from hashes of offer and answer as PROTOCOL.md says", async () => {
  const [offer, answer] = [new Uint8Array(1093).fill(1), new Uint8Array(1073).fill(2)];
  const hash = (...parts: Uint8Array[]) => createHash("sha256").update(concat(...parts)).digest();
  const whole = hash(utf8("porthole/check/v1"), hash(offer), hash(answer));
  const digits = String(whole.readUInt32BE(0) % 1_000_000).padStart(6, "0");
  assert.equal(await checkNumber(offer, answer), digits);
});

Deno.test("handshake refuses to start with a presence that the device did not sign for itself", async () => {
  const device = await newDevice();
  const other = await newDevice();
  const { publicKey: devicePublicKey } = device.signer;
  const base = { browser: await newSigner(), label: "x", devicePublicKey, time: NOON };
  const start = (presence: Bytes) => BrowserHandshake.start({ ...base, presence });
  await assertRefused(start(await presenceOf(other)), "bad_signature");
  await assertRefused(start(await presenceOf(device, 2)), "version");
  const good = await presenceOf(device);
  for (let i = 0; i < good.length; i++) {
    await assertRefused(start(good.slice(0, i)), "bad_signature");
    await assertRefused(start(flipped(good, i)), "bad_signature");
  }
  const claim = await newClaim(other);
  await assertRefused(
    BrowserHandshake.start({ ...base, presence: good, claim }),
    "malformed",
  );
});

Deno.test("handshake refuses an offer cut anywhere", async () => {
  const device = await newDevice();
  const offer = await makeOffer(await startBrowser(device));
  for (let i = 0; i < offer.length; i++) {
    await assertRefused(receiveOffer(device, offer.slice(0, i)), "malformed");
  }
  await assertRefused(receiveOffer(device, concat(offer, new Uint8Array(1))), "malformed");
  await assertRefused(receiveOffer(device, new Uint8Array(9000)), "malformed");
});

Deno.test("handshake refuses an offer with any byte changed", async () => {
  const device = await newDevice();
  const offer = await makeOffer(await startBrowser(device));
  for (let i = 0; i < offer.length; i++) {
    await assertRefused(receiveOffer(device, flipped(offer, i)), "malformed", "stale");
  }
});

Deno.test("handshake refuses an answer cut or changed anywhere, and still takes the true one", async () => {
  const testDevice = await newDevice();
  const browser = await startBrowser(testDevice);
  const device = await receiveOffer(testDevice, await makeOffer(browser));
  const answer = await device.answer(DEVICE_TRANSPORT);
  for (let i = 0; i < answer.length; i++) {
    await assertRefused(browser.acceptAnswer(answer.slice(0, i)), "malformed");
    await assertRefused(browser.acceptAnswer(flipped(answer, i)), "malformed", "bad_signature");
  }
  assert.deepEqual(await browser.acceptAnswer(answer), DEVICE_TRANSPORT);
});

Deno.test("handshake refuses random bytes in every place", async () => {
  const testDevice = await newDevice();
  const browser = await startBrowser(testDevice);
  const offer = await makeOffer(browser);
  const wires = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.constantFrom(1, 2, 3, 4).chain((type) =>
      fc.constantFrom(275, 1073, 1093, 2097, 2117).chain((length) =>
        fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => {
          bytes[0] = type;
          return bytes;
        })
      )
    ),
  );
  await fc.assert(
    fc.asyncProperty(wires, async (noise) => {
      const bytes = new Uint8Array(noise);
      await assertRefused(receiveOffer(testDevice, bytes), "malformed", "stale");
      await assertRefused(browser.acceptAnswer(bytes), "malformed", "bad_signature");
    }),
    { numRuns: 300 },
  );
  assert.ok(await receiveOffer(testDevice, offer));
});

Deno.test("handshake refuses an offer made for another device or key", async () => {
  const device = await newDevice();
  const offer = await makeOffer(await startBrowser(device));
  const otherKey = { ...device, sealing: { ...await generateExchangeKey(false), epoch: 3 } };
  await assertRefused(receiveOffer(otherKey, offer), "malformed");
  const otherSigner = { ...device, signer: await newSigner() };
  await assertRefused(receiveOffer(otherSigner, offer), "malformed");
  const laterEpoch = { ...device, sealing: { ...device.sealing, epoch: 4 } };
  await assertRefused(receiveOffer(laterEpoch, offer), "stale");
});

Deno.test("handshake refuses an offer that is signed by another than it names", async () => {
  const device = await newDevice();
  const honest = await newSigner();
  const thief = await newSigner();
  const posing = { publicKey: honest.publicKey, sign: (bytes: Bytes) => thief.sign(bytes) };
  const offer = await makeOffer(await startBrowser(device, { browser: posing }));
  await assertRefused(receiveOffer(device, offer), "bad_signature");
});

Deno.test("handshake refuses signed offers whose session key, versions, label or claim it cannot take", async () => {
  const device = await newDevice();
  const browser = await newSigner();
  const offer = {
    sessionId: randomBytes(16),
    browserPublicKey: browser.publicKey,
    bootNonce: device.bootNonce,
    versions: [1],
    transport: BROWSER_TRANSPORT,
    candidates: [],
    label: "browser",
    time: NOON,
  };
  const id = await deviceId(device.signer.publicKey);
  const to = { device: id, sealingKey: device.sealing.publicKey, epoch: 3, browser };
  const good = await sealOffer({ ...offer, exchangeKey: randomBytes(32) }, to);
  assert.equal((await receiveOffer(device, good.wire)).objection, undefined);
  const bad = await sealOffer({ ...offer, exchangeKey: new Uint8Array(32) }, to);
  await assertRefused(receiveOffer(device, bad.wire), "malformed");
  const future = await sealOffer({ ...offer, exchangeKey: randomBytes(32), versions: [2, 3] }, to);
  assert.equal((await receiveOffer(device, future.wire)).objection, "version");
  const crooked = { ...offer, exchangeKey: randomBytes(32), label: "a\u202eb" };
  await assertRefused(receiveOffer(device, (await sealOffer(crooked, to)).wire), "malformed");
  const claim = { token: new Uint8Array(40), proof: new Uint8Array(32) };
  const claiming = await sealOffer({ ...offer, exchangeKey: randomBytes(32), claim }, to);
  await assertRefused(receiveOffer(device, claiming.wire), "malformed");
});

Deno.test("handshake refuses an offer that the device it was made for sealed to another", async () => {
  const [first, second] = [await newDevice(), await newDevice()];
  const wire = await makeOffer(await startBrowser(first));
  const own = { device: await deviceId(first.signer.publicKey), sealing: [first.sealing] };
  const { text } = await openOffer(wire, own);
  const other = await deviceId(second.signer.publicKey);
  const info = concat(utf8("porthole/offer/v1"), other, wire.slice(1, 5));
  const sealing = await sealTo(second.sealing.publicKey, info);
  const header = concat(wire.slice(0, 21), sealing.enc);
  const again = concat(header, await sealing.seal(pad(text, [1024]), header));
  await assertRefused(receiveOffer(second, again), "bad_signature");
});

Deno.test("handshake opens an offer to the previous key and knows the previous boot nonce", async () => {
  const old = await newDevice();
  const offer = await makeOffer(await startBrowser(old));
  const current = { ...await generateExchangeKey(false), epoch: 4 };
  const options = { offer, device: old.signer, sealing: [current, old.sealing] };
  const received = await DeviceHandshake.receive({
    ...options,
    bootNonces: [randomBytes(16), old.bootNonce],
  });
  assert.equal(received.objection, undefined);
  const stale = await DeviceHandshake.receive({ ...options, bootNonces: [randomBytes(16)] });
  assert.equal(stale.objection, "stale");
  await assert.rejects(stale.answer(DEVICE_TRANSPORT), /handshake is stale/);
});

Deno.test("handshake tells the browser the device's signed reason and ends", async () => {
  for (const reason of REFUSAL_REASONS) {
    const testDevice = await newDevice();
    const browser = await startBrowser(testDevice);
    const device = await receiveOffer(testDevice, await makeOffer(browser));
    const refusal = await device.refuse(reason);
    assert.equal(holdsText(refusal, reason), false);
    await assertRefused(browser.acceptAnswer(refusal), reason);
    await assert.rejects(browser.acceptAnswer(refusal), /handshake is refused/);
    await assert.rejects(device.answer(DEVICE_TRANSPORT), /handshake is refused/);
  }
});

Deno.test("handshake makes an acceptance and a refusal of the same size", async () => {
  const testDevice = await newDevice();
  const [first, second] = [await startBrowser(testDevice), await startBrowser(testDevice)];
  const yes = await (await receiveOffer(testDevice, await makeOffer(first))).answer(
    DEVICE_TRANSPORT,
  );
  const no = await (await receiveOffer(testDevice, await makeOffer(second))).refuse("not_paired");
  assert.equal(yes.length, no.length);
});

Deno.test("handshake refuses the answer to another offer, and one that another device gave", async () => {
  const testDevice = await newDevice();
  const [first, second] = [await startBrowser(testDevice), await startBrowser(testDevice)];
  const firstOffer = await makeOffer(first);
  const secondOffer = await makeOffer(second);
  const answer = await (await receiveOffer(testDevice, secondOffer)).answer(DEVICE_TRANSPORT);
  await assertRefused(first.acceptAnswer(answer), "bad_signature");
  const impostor = { ...testDevice.signer, sign: (await newSigner()).sign };
  const received = await receiveOffer({ ...testDevice, signer: impostor }, firstOffer);
  await assertRefused(first.acceptAnswer(await received.answer(DEVICE_TRANSPORT)), "bad_signature");
});

Deno.test("handshake shows no ICE text in anything that travels", async () => {
  const { browser, device, offer, answer } = await shake();
  const wires = [
    offer,
    answer,
    await browser.sealCandidate(CANDIDATE),
    await device.sealCandidate(CANDIDATE),
  ];
  for (
    const text of [
      "candidate",
      "typ",
      "203.0.113.7",
      BROWSER_TRANSPORT.ufrag,
      DEVICE_TRANSPORT.pwd,
      "Firefox",
    ]
  ) {
    for (const wire of wires) assert.equal(holdsText(wire, text), false, text);
  }
});

Deno.test("handshake pads an offer to three sizes and refuses candidates beyond them", async () => {
  const device = await newDevice();
  const sizes = new Set<number>();
  for (let count = 0; count < 27; count++) {
    const candidates = Array.from({ length: count }, () => CANDIDATE);
    const browser = await startBrowser(device);
    const offer = await makeOffer(browser, candidates);
    assert.equal((await receiveOffer(device, offer)).candidates.length, count);
    sizes.add(offer.length);
  }
  assert.deepEqual([...sizes], [1024, 2048, 4096].map((size) => 53 + size + 16));
  const browser = await startBrowser(device);
  const long = CANDIDATE + " " + "x".repeat(40) + " " + "y".repeat(70);
  await assert.rejects(makeOffer(browser, Array(32).fill(long)), RangeError);
  await assert.rejects(makeOffer(browser, Array(33).fill(CANDIDATE)), /too long/);
  assert.ok(await makeOffer(browser, []));
});

Deno.test("handshake refuses candidates replayed, out of order, changed, reflected or cut", async () => {
  const { browser, device } = await shake();
  const [first, second] = [
    await browser.sealCandidate(CANDIDATE),
    await browser.sealCandidate(CANDIDATE),
  ];
  await assertRefused(device.openCandidate(second), "bad_signature");
  await assertRefused(browser.openCandidate(first), "bad_signature");
  for (let i = 0; i < first.length; i++) {
    await assertRefused(device.openCandidate(flipped(first, i)), "bad_signature", "malformed");
    await assertRefused(device.openCandidate(first.slice(0, i)), "malformed");
  }
  assert.equal(await device.openCandidate(first), CANDIDATE);
  await assertRefused(device.openCandidate(first), "bad_signature");
  assert.equal(await device.openCandidate(second), CANDIDATE);
});

Deno.test("handshake keeps the order of candidates that are sealed and opened at once", async () => {
  const { browser, device } = await shake();
  const wanted = Array.from({ length: 64 }, (_, i) => CANDIDATE.replaceAll("46154", `${i + 1}`));
  const order: number[] = [];
  const sealed = await Promise.all(wanted.map(async (candidate, i) => {
    const wire = await browser.sealCandidate(candidate);
    order.push(i);
    return wire;
  }));
  assert.deepEqual(order, [...wanted.keys()]);
  assert.deepEqual(await Promise.all(sealed.map((wire) => device.openCandidate(wire))), wanted);
  await assert.rejects(browser.sealCandidate(CANDIDATE), /too many/);
});

Deno.test("handshake refuses each step out of turn", async () => {
  const testDevice = await newDevice();
  const browser = await startBrowser(testDevice);
  await assert.rejects(browser.acceptAnswer(new Uint8Array(1073)), /handshake is ready/);
  await assert.rejects(browser.sealCandidate(CANDIDATE), /handshake is ready/);
  assert.throws(() => browser.confirmation(), /handshake is ready/);
  const device = await receiveOffer(testDevice, await makeOffer(browser));
  await assert.rejects(makeOffer(browser), /handshake is offered/);
  await assert.rejects(device.sealCandidate(CANDIDATE), /handshake is received/);
  await assert.rejects(device.openCandidate(new Uint8Array(275)), /handshake is received/);
  assert.throws(() => device.confirmation(), /handshake is received/);
  const answer = await device.answer(DEVICE_TRANSPORT);
  await assert.rejects(device.answer(DEVICE_TRANSPORT), /handshake is answered/);
  await assert.rejects(device.refuse("busy"), /handshake is answered/);
  await browser.acceptAnswer(answer);
  await assert.rejects(browser.acceptAnswer(answer), /handshake is answered/);
});

Deno.test("handshake refuses fields that could break a line of SDP", async () => {
  const browser = await startBrowser(await newDevice());
  for (
    const candidate of [
      "",
      "candidate:1 1 udp 1 10.0.0.1 9 typ host\r\na=x",
      "candidate:1 1 udp 1 10.0.0.1 9 typ host\n",
      "candidate:1 1 udp 1 10.0.0.1 9 typ host ",
      "a=candidate:1 1 udp 1 10.0.0.1 9 typ host",
      "candidate:1 1 udp 1 10.0.0.1\u00a0 9 typ host",
      `candidate:1 1 udp 1 10.0.0.1 9 typ host x ${"y".repeat(300)}`,
    ]
  ) {
    await assert.rejects(makeOffer(browser, [candidate]), { name: "CborError" }, candidate);
  }
  const bad = [
    { ufrag: "abc" },
    { ufrag: "abcd\r\na=x" },
    { pwd: "short" },
    { pwd: `${"a".repeat(22)}\n` },
    { fingerprint: new Uint8Array(31) },
    { setup: "holdconn" as "active" },
  ];
  for (const change of bad) {
    const fields = { ...transport(1, "actpass"), ...change };
    await assert.rejects(browser.offer({ transport: fields, candidates: [] }), {
      name: "CborError",
    });
  }
  assert.ok(await makeOffer(browser));
});

Deno.test("confirmation refuses a certificate that is not the signed one", async () => {
  const wrong = new Uint8Array(32).fill(99);
  for (const change of [{ local: wrong }, { remote: wrong }, { remote: SEEN.browser.local }]) {
    const { browser, device } = await shake();
    const confirmation = browser.confirmation();
    await assertRefused(confirmation.start({ ...SEEN.browser, ...change }), "bad_signature");
    await assertRefused(confirmation.start(SEEN.browser), "malformed");
    await assertRefused(
      device.confirmation().start({ ...SEEN.device, local: wrong }),
      "bad_signature",
    );
  }
});

Deno.test("confirmation refuses proofs cut or changed anywhere, for good", async () => {
  const { browser, device } = await shake();
  const { deviceProof } = await exchangeNonces(browser.confirmation(), device.confirmation());
  const changes = Array.from(
    deviceProof.keys(),
    (i) => [deviceProof.slice(0, i), flipped(deviceProof, i)],
  );
  for (const [index, pair] of changes.entries()) {
    if (index % 8 !== 0) continue; // each needs a handshake of its own: a failure is final
    for (const proof of pair) {
      const fresh = await shake();
      const ends = [fresh.browser.confirmation(), fresh.device.confirmation()] as const;
      const messages = await exchangeNonces(...ends);
      const own = proof.length === deviceProof.length
        ? flipped(messages.deviceProof, index)
        : messages.deviceProof.slice(0, index);
      await assertRefused(ends[0].receive(own), "malformed", "bad_signature");
      await assertRefused(ends[0].receive(messages.deviceProof), "malformed");
      assert.equal(ends[0].done, false);
    }
  }
});

Deno.test("confirmation refuses reflection, foreign sessions, foreign keys and wrong order", async () => {
  const [one, other] = [await shake(), await shake()];
  const ends = [one.browser.confirmation(), one.device.confirmation()] as const;
  await assertRefused(ends[0].receive(new Uint8Array(33).fill(1)), "malformed");

  const reflected = await shake();
  const own = await exchangeNonces(
    reflected.browser.confirmation(),
    reflected.device.confirmation(),
  );
  await assertRefused(reflected.browser.confirmation().receive(own.browserProof), "bad_signature");

  const foreign = await exchangeNonces(other.browser.confirmation(), other.device.confirmation());
  const third = await shake();
  await exchangeNonces(third.browser.confirmation(), third.device.confirmation());
  await assertRefused(third.device.confirmation().receive(foreign.browserProof), "bad_signature");

  const early = await shake();
  await early.browser.confirmation().start(SEEN.browser);
  await assertRefused(early.browser.confirmation().receive(foreign.deviceProof), "malformed");

  const forged = await shake();
  const messages = await exchangeNonces(
    forged.browser.confirmation(),
    forged.device.confirmation(),
  );
  const { payload } = decodeEnvelope(messages.deviceProof.slice(1), 512);
  const envelope = await signEnvelope("chan", payload, await newSigner());
  const proof = concat(messages.deviceProof.slice(0, 1), envelope);
  assert.equal(proof.length, messages.deviceProof.length);
  await assertRefused(forged.browser.confirmation().receive(proof), "bad_signature");
});

Deno.test("confirmation refuses the same device's proof for another session of the same browser", async () => {
  const testDevice = await newDevice();
  const signer = await newSigner();
  const sessions = [];
  for (let i = 0; i < 2; i++) {
    const browser = await startBrowser(testDevice, { browser: signer });
    const device = await receiveOffer(testDevice, await makeOffer(browser));
    await browser.acceptAnswer(await device.answer(DEVICE_TRANSPORT));
    const ends = [browser.confirmation(), device.confirmation()] as const;
    sessions.push({ ends, proofs: await exchangeNonces(...ends) });
  }
  const [first, second] = sessions;
  assert.ok(first && second);
  await assertRefused(first.ends[0].receive(second.proofs.deviceProof), "bad_signature");
  await assertRefused(first.ends[1].receive(second.proofs.browserProof), "bad_signature");
  await second.ends[0].receive(second.proofs.deviceProof);
  assert.equal(second.ends[0].done, true);
});

Deno.test("confirmation takes a nonce that arrives while it is starting", async () => {
  const { browser, device } = await shake();
  const fromDevice = await device.confirmation().start(SEEN.device);
  const starting = browser.confirmation().start(SEEN.browser);
  const proof = browser.confirmation().receive(fromDevice);
  const nonce = await starting;
  const deviceProof = await device.confirmation().receive(nonce);
  assert.ok(deviceProof);
  await browser.confirmation().receive(deviceProof);
  const browserProof = await proof;
  assert.ok(browserProof);
  await device.confirmation().receive(browserProof);
  assert.equal(browser.confirmation().done && device.confirmation().done, true);
});
