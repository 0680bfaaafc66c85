import assert from "node:assert/strict";
import fc from "fast-check";
import { type Bytes, concat, fromHex, toHex } from "../lib/bytes.ts";
import { pad } from "./padding.ts";
import { RestartChannel, type RestartMessage, restartSession } from "./restart.ts";
import { directionKey, sealWith } from "./seal.ts";
import { type CborValue, encodeCbor } from "./strict_cbor.ts";
import { CANDIDATE, flipped, shake } from "./test_ends.ts";

const SESSION = new Uint8Array(16).fill(0x44);
const CREDENTIALS: RestartMessage = {
  kind: "credentials",
  generation: 1,
  ufrag: "abcd",
  pwd: "a".repeat(22),
};
const ONE_CANDIDATE: RestartMessage = { kind: "candidate", generation: 1, candidate: CANDIDATE };

async function newEnds(session = SESSION) {
  const draw = (label: string) =>
    directionKey(new Uint8Array(64).fill(1), { salt: new Uint8Array(32), label });
  const [one, other] = [await draw("one way"), await draw("the other")];
  return {
    near: new RestartChannel(session, { send: one, receive: other }),
    far: new RestartChannel(session, { send: other, receive: one }),
    key: one,
  };
}

/** A peer that seals whatever it likes under any number. */
async function sealed(key: CryptoKey, counter: number, value: CborValue): Promise<Bytes> {
  const additional = concat(Uint8Array.of(4), SESSION, new Uint8Array(4));
  new DataView(additional.buffer).setUint32(17, counter);
  const text = pad(encodeCbor(value), [320, 640]);
  return concat(additional, await sealWith(key, { counter, additional, text }));
}

Deno.test("restart messages reach the other end, both ways and both kinds", async () => {
  const { device, browser } = await shake();
  for (const message of [CREDENTIALS, ONE_CANDIDATE]) {
    const asked = await browser.restarts().seal(message);
    assert.deepEqual(await device.restarts().open(asked), message);
    const told = await device.restarts().seal(message);
    assert.deepEqual(await browser.restarts().open(told), message);
    assert.equal(restartSession(asked), toHex(device.sessionId));
  }
  assert.equal(browser.restarts(), browser.restarts());
});

Deno.test("a restart message has the bytes that PROTOCOL.md says", async () => {
  const { near, key } = await newEnds();
  const wire = await near.seal(CREDENTIALS);
  assert.equal(wire.length, 1 + 16 + 4 + 320 + 16);
  assert.equal(toHex(wire.slice(0, 21)), `04${"44".repeat(16)}00000001`);
  const map = "a300010164616263640276" + "61".repeat(22);
  const text = `${"00"}${(map.length / 2).toString(16).padStart(2, "0")}${map}`;
  const parameters = {
    name: "AES-GCM",
    iv: fromHex("000000000000000000000001"),
    additionalData: wire.slice(0, 21),
  };
  const opened = new Uint8Array(await crypto.subtle.decrypt(parameters, key, wire.slice(21)));
  assert.equal(toHex(opened), text.padEnd(640, "0"));
  assert.equal((await near.seal(CREDENTIALS))[20], 2, "each has its own number");
});

Deno.test("what came before, or is older than what came, is refused; what got lost is not missed", async () => {
  const { near, far } = await newEnds();
  const wires = [];
  for (let i = 0; i < 4; i++) wires.push(await near.seal({ ...CREDENTIALS, generation: i + 1 }));
  const [first, second, third, fourth] = wires as [Bytes, Bytes, Bytes, Bytes];
  await far.open(second);
  await assert.rejects(far.open(second), { code: "malformed" });
  await assert.rejects(far.open(first), { code: "malformed" });
  assert.equal((await far.open(fourth)).generation, 4);
  await assert.rejects(far.open(third), { code: "malformed" });
});

Deno.test("two copies at once: one is taken", async () => {
  const { near, far } = await newEnds();
  const wire = await near.seal(CREDENTIALS);
  const results = await Promise.allSettled([far.open(wire), far.open(wire)]);
  assert.deepEqual(results.map(({ status }) => status), ["fulfilled", "rejected"]);
});

Deno.test("one changed bit anywhere, a cut, a longer one: refused, and the true one still counts", async () => {
  const { near, far } = await newEnds();
  const wire = await near.seal(ONE_CANDIDATE);
  for (let index = 0; index < wire.length; index++) {
    await assert.rejects(far.open(flipped(wire, index)), { name: "HandshakeError" }, `${index}`);
  }
  for (const length of [0, 1, 20, 21, 356]) {
    await assert.rejects(far.open(wire.slice(0, length)), { code: "malformed" });
    assert.equal(restartSession(wire.slice(0, length)), undefined);
  }
  await assert.rejects(far.open(concat(wire, new Uint8Array(1))), { code: "malformed" });
  assert.deepEqual(await far.open(wire), ONE_CANDIDATE);
});

Deno.test("a message of this end, or of another session with the same keys, is refused", async () => {
  const { near } = await newEnds();
  const other = await newEnds(new Uint8Array(16).fill(0x45));
  await assert.rejects(near.open(await near.seal(CREDENTIALS)), { code: "bad_signature" });
  await assert.rejects(other.far.open(await near.seal(CREDENTIALS)), { code: "malformed" });
});

Deno.test("a candidate of M3 is no restart, nor the other way round", async () => {
  const { device, browser } = await shake();
  const m3 = await browser.sealCandidate(CANDIDATE);
  const m5 = await browser.restarts().seal(ONE_CANDIDATE);
  assert.equal(restartSession(m3), undefined);
  await assert.rejects(device.restarts().open(m3), { code: "malformed" });
  await assert.rejects(device.openCandidate(m5), { code: "malformed" });
});

Deno.test("well sealed nonsense is refused", async () => {
  const bad: CborValue[] = [
    7,
    new Map([[0, 1]]),
    new Map<number, CborValue>([[0, 0], [1, "abcd"], [2, "a".repeat(22)]]),
    new Map<number, CborValue>([[0, 1], [1, "abcd"]]),
    new Map<number, CborValue>([[0, 1], [1, "abc"], [2, "a".repeat(22)]]),
    new Map<number, CborValue>([[0, 1], [1, "abcd\r\na=x"], [2, "a".repeat(22)]]),
    new Map<number, CborValue>([[0, 1], [3, "candidate:1"]]),
    new Map<number, CborValue>([[0, 1], [3, `${CANDIDATE}\r\na=x`]]),
    new Map<number, CborValue>([[0, 1], [1, "abcd"], [2, "a".repeat(22)], [3, CANDIDATE]]),
    new Map<number, CborValue>([[0, 1], [3, CANDIDATE], [4, 1]]),
  ];
  const { far, key } = await newEnds();
  for (const [index, value] of bad.entries()) {
    const wire = await sealed(key, index + 1, value);
    await assert.rejects(far.open(wire), { code: "malformed" }, `${index}`);
  }
});

Deno.test("only credentials and candidates of RFC 8839 are sent", async () => {
  const { near } = await newEnds();
  await assert.rejects(near.seal({ ...CREDENTIALS, ufrag: "a b" }), { name: "CborError" });
  await assert.rejects(near.seal({ ...CREDENTIALS, pwd: "short" }), { name: "CborError" });
  await assert.rejects(near.seal({ ...ONE_CANDIDATE, candidate: "a=x" }), { name: "CborError" });
  const long = { ufrag: "u".repeat(256), pwd: "p".repeat(256) };
  assert.equal((await near.seal({ ...CREDENTIALS, ...long })).length, 1 + 16 + 4 + 640 + 16);
});

Deno.test("bytes of a stranger never open", async () => {
  const { far } = await newEnds();
  const session = fc.uint8Array({ minLength: 336, maxLength: 340 }).map((rest) =>
    concat(Uint8Array.of(4), SESSION, new Uint8Array(rest))
  );
  await fc.assert(
    fc.asyncProperty(session, async (bytes) => {
      await assert.rejects(far.open(bytes), { name: "HandshakeError" });
    }),
  );
});
