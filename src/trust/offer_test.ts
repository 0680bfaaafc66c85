import assert from "node:assert/strict";
import fc from "fast-check";
import { type Bytes, concat, fromHex, utf8 } from "../lib/bytes.ts";
import { decodeEnvelope, signEnvelope } from "./cose.ts";
import { randomBytes, sha256 } from "./digest.ts";
import { type DeviceHandshake, HandshakeError } from "./handshake.ts";
import { deviceId } from "./key_id.ts";
import { type Offer, offerTag, openOffer, sealOffer } from "./offer.ts";
import { pad } from "./padding.ts";
import { passTag } from "./pass.ts";
import { sealTo } from "./seal.ts";
import { type CborMap, type CborValue, decodeCbor, encodeCbor } from "./strict_cbor.ts";
import {
  BROWSER_TRANSPORT,
  makeOffer,
  newClaim,
  newDevice,
  newSigner,
  NOON,
  receiveOffer,
  startBrowser,
} from "./test_ends.ts";
import { HOSTILE_CBOR } from "./test_hostile_cbor.ts";

type Payload = Map<number, CborValue>;
type Attempt = (write: (payload: Payload) => Bytes) => Promise<DeviceHandshake>;

const KEY = { binding: 6, grants: 11, time: 12 };

/** A browser with a program of its own: what it writes is rightly bound, signed and sealed, and given to the device. */
async function newForger(): Promise<Attempt> {
  const device = await newDevice();
  const browser = await newSigner();
  const { publicKey, epoch } = device.sealing;
  const id = await deviceId(device.signer.publicKey);
  const header = new Uint8Array([1, 0, 0, 0, epoch]);
  const info = concat(utf8("porthole/offer/v1"), id, header.slice(1));
  const honest = await makeOffer(
    await startBrowser(device, { browser, grants: [randomBytes(200)] }),
    [],
  );
  const { text } = await openOffer(honest, { device: id, sealing: [device.sealing] });
  const payload = decodeCbor(decodeEnvelope(text, 4096).payload, 4096) as CborMap;
  return async (write) => {
    const sealing = await sealTo(publicKey, info);
    const domain = utf8("porthole/offer-binding/v1");
    const binding = await sha256(domain, id, publicKey, sealing.enc);
    const written = write(new Map([...payload, [KEY.binding, binding]]));
    const clear = concat(header, randomBytes(16), sealing.enc);
    const padded = pad(await signEnvelope("offer", written, browser), [1024, 2048, 4096]);
    return await receiveOffer(device, concat(clear, await sealing.seal(padded, clear)));
  };
}

Deno.test("offer that is well signed is malformed with any field missing, further or of another type", async () => {
  const attempt = await newForger();
  const change = (edit: (payload: Payload) => unknown) =>
    attempt((payload) => {
      edit(payload);
      return encodeCbor(payload);
    });
  assert.equal((await change(() => {})).grants?.length, 1);
  assert.equal((await change((payload) => payload.delete(KEY.grants))).grants, undefined);
  for (const key of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, KEY.time]) {
    await assert.rejects(change((payload) => payload.delete(key)), { code: "malformed" });
  }
  for (const key of [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, KEY.grants, KEY.time, 13]) {
    await assert.rejects(change((payload) => payload.set(key, true)), { code: "malformed" });
  }
  for (const [key, value] of [[KEY.binding, true], [KEY.binding, randomBytes(32)]] as const) {
    await assert.rejects(change((payload) => payload.set(key, value)), { code: "bad_signature" });
  }
  const other = await newSigner();
  await assert.rejects(change((payload) => payload.set(2, other.publicKey)), {
    code: "bad_signature",
  });
});

Deno.test("offer that is well signed is read or refused, however its payload is damaged", async () => {
  const attempt = await newForger();
  const damage = fc.record({
    at: fc.nat(10_000),
    take: fc.nat(3),
    put: fc.uint8Array({ maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(damage, async ({ at, take, put }) => {
      const received = attempt((payload) => {
        const bytes = encodeCbor(payload);
        const start = at % bytes.length;
        return concat(bytes.slice(0, start), put, bytes.slice(start + take));
      });
      try {
        const { time, grants, label } = await received;
        assert.ok(Number.isSafeInteger(time) && time >= 0);
        assert.ok(grants === undefined || grants.length === 1);
        assert.ok(label.length <= 64);
      } catch (error) {
        assert.ok(error instanceof HandshakeError, `another error: ${error}`);
      }
    }),
    { numRuns: 200 },
  );
});

Deno.test("offer that is well signed is malformed with any hostile input of RFC 8949 in it", async () => {
  const attempt = await newForger();
  for (const [name, hex] of Object.entries(HOSTILE_CBOR)) {
    const hostile = fromHex(hex);
    if (hostile.length > 1024) continue;
    const places: ((payload: Payload) => Bytes)[] = [
      () => hostile,
      // The time is the last entry of the map: five bytes.
      (payload) => concat(encodeCbor(payload).slice(0, -5), hostile),
      (payload) => {
        const whole = encodeCbor(payload);
        const behind = whole.length - 6; // the time, and its key
        const grants = encodeCbor(payload.get(KEY.grants)!); // the forger's base has some
        return concat(whole.slice(0, behind - grants.length), hostile, whole.slice(behind));
      },
    ];
    for (const place of places) await assert.rejects(attempt(place), { code: "malformed" }, name);
  }
});

Deno.test("offer is refused with grants or a time that the device cannot take", async () => {
  const device = await newDevice();
  const browser = await newSigner();
  const claim = await newClaim(device);
  const link = new Uint8Array(200);
  const base: Offer = {
    sessionId: randomBytes(16),
    browserPublicKey: browser.publicKey,
    exchangeKey: randomBytes(32),
    bootNonce: device.bootNonce,
    versions: [1],
    transport: BROWSER_TRANSPORT,
    candidates: [],
    label: "browser",
    time: NOON,
  };
  const id = await deviceId(device.signer.publicKey);
  const to = { device: id, sealingKey: device.sealing.publicKey, epoch: 3, browser };
  const receive = async (change: object) =>
    await receiveOffer(device, (await sealOffer({ ...base, ...change }, to)).wire);
  assert.deepEqual((await receive({ grants: [link, link, link] })).grants, [link, link, link]);
  const bad: Record<string, object> = {
    "an empty chain": { grants: [] },
    "four links": { grants: [link, link, link, link] },
    "a link above 1024 bytes": { grants: [new Uint8Array(1025)] },
    "a text as link": { grants: ["link"] },
    "a chain that is a map": { grants: new Map([[0, link]]) },
    "a claim and grants": {
      claim: { token: claim.token, proof: new Uint8Array(32) },
      grants: [link],
    },
    "a negative time": { time: -1 },
    "a time above 32 bits": { time: 2 ** 32 },
    "a text as time": { time: "noon" },
  };
  for (const [name, change] of Object.entries(bad)) {
    await assert.rejects(receive(change), { code: "malformed" }, name);
  }
});

Deno.test("offer is marked with the tag of its pass, or with one that nobody knows", async () => {
  const testDevice = await newDevice();
  const pass = randomBytes(16);
  const known = await makeOffer(await startBrowser(testDevice, { pass }));
  assert.deepEqual(offerTag(known), known.slice(5, 21));
  assert.deepEqual(offerTag(known), await passTag(pass, testDevice.bootNonce));
  await receiveOffer(testDevice, known);
  const [first, second] = [
    await makeOffer(await startBrowser(testDevice)),
    await makeOffer(await startBrowser(testDevice)),
  ];
  assert.notDeepEqual(offerTag(first), offerTag(second));
  assert.equal(offerTag(known.slice(1)), undefined);
  assert.equal(offerTag(new Uint8Array(known.length)), undefined);
  assert.equal(offerTag(new Uint8Array()), undefined);
});

Deno.test("offer is refused if its tag was put onto another", async () => {
  const testDevice = await newDevice();
  const pass = randomBytes(16);
  const known = await makeOffer(await startBrowser(testDevice, { pass }));
  const strange = await makeOffer(await startBrowser(testDevice));
  const posing = concat(strange.slice(0, 5), known.slice(5, 21), strange.slice(21));
  await assert.rejects(receiveOffer(testDevice, posing), { code: "malformed" });
});
