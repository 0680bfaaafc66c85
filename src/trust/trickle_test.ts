import assert from "node:assert/strict";
import { type Bytes, concat, utf8 } from "../lib/bytes.ts";
import { pad } from "./padding.ts";
import { CounterSealer, directionKey } from "./seal.ts";
import { CANDIDATE } from "./test_ends.ts";
import { MAX_TRICKLED_CANDIDATES, Trickle } from "./trickle.ts";

const TYPE = new Uint8Array([3]);

async function newKeys() {
  const draw = (label: string) =>
    directionKey(new Uint8Array(64).fill(1), { salt: new Uint8Array(32), label });
  return { send: await draw("one way"), receive: await draw("the other") };
}

/** A peer that seals whatever it likes with the right key, in the right order. */
function sealerOf(key: CryptoKey): (text: Bytes, type?: Bytes) => Promise<Bytes> {
  const sealer = new CounterSealer(key);
  return async (text, type = TYPE) => concat(type, await sealer.seal(pad(text, [258]), type));
}

Deno.test("trickle takes 64 candidates and refuses the next, though it is well sealed", async () => {
  const { send, receive } = await newKeys();
  const trickle = new Trickle({ send, receive });
  const seal = sealerOf(receive);
  for (let i = 0; i < MAX_TRICKLED_CANDIDATES; i++) {
    assert.equal(await trickle.open(await seal(utf8(CANDIDATE))), CANDIDATE);
  }
  await assert.rejects(trickle.open(await seal(utf8(CANDIDATE))), { code: "malformed" });
});

Deno.test("trickle sends 64 candidates and not one more", async () => {
  const trickle = new Trickle(await newKeys());
  for (let i = 0; i < MAX_TRICKLED_CANDIDATES; i++) await trickle.seal(CANDIDATE);
  await assert.rejects(trickle.seal(CANDIDATE), RangeError);
});

Deno.test("trickle neither sends nor takes what is not one candidate", async () => {
  const { send, receive } = await newKeys();
  const trickle = new Trickle({ send, receive });
  const seal = sealerOf(receive);
  const bad = ["", "candidate:1", `${CANDIDATE}\r\na=x`, `a=${CANDIDATE}`, `${CANDIDATE} x\ty z`];
  for (const text of bad) {
    await assert.rejects(trickle.seal(text), { name: "CborError" }, text);
    await assert.rejects(trickle.open(await seal(utf8(text))), { code: "malformed" }, text);
  }
  assert.equal(await trickle.open(await seal(utf8(CANDIDATE))), CANDIDATE);
});

Deno.test("trickle refuses the type of another message, however well it is sealed", async () => {
  const { send, receive } = await newKeys();
  const trickle = new Trickle({ send, receive });
  const seal = sealerOf(receive);
  const posing = await seal(utf8(CANDIDATE), new Uint8Array([2]));
  await assert.rejects(trickle.open(posing), { code: "malformed" });
  for (const size of [0, 1, 274, 276]) {
    const bytes = new Uint8Array(size).fill(3);
    await assert.rejects(trickle.open(bytes), { code: "malformed" });
  }
});
