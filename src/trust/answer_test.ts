import assert from "node:assert/strict";
import { answerExchangeKey, openAnswer, sealAnswer } from "./answer.ts";
import { signEnvelope } from "./cose.ts";
import { randomBytes, sha256 } from "./digest.ts";
import { MESSAGE } from "./message.ts";
import { pad } from "./padding.ts";
import { CounterSealer, directionKey } from "./seal.ts";
import { type CborValue, encodeCbor } from "./strict_cbor.ts";
import { DEVICE_TRANSPORT, newSigner } from "./test_ends.ts";
import { concat, utf8 } from "../lib/bytes.ts";

async function newContext() {
  const device = await newSigner();
  return {
    sessionId: randomBytes(16),
    offer: { epoch: 1, wire: randomBytes(1093), text: randomBytes(300) },
    exchangeKey: randomBytes(32),
    key: await directionKey(randomBytes(64), { salt: randomBytes(32), label: "answer" }),
    device,
    devicePublicKey: device.publicKey,
  };
}

const ACCEPTED = { kind: "accepted", version: 1, transport: DEVICE_TRANSPORT } as const;

Deno.test("answer is accepted for its own session, offer and key only, even under the same seal", async () => {
  const context = await newContext();
  const wire = await sealAnswer(ACCEPTED, context);
  assert.deepEqual(answerExchangeKey(wire), context.exchangeKey);
  assert.deepEqual(await openAnswer(wire, context), ACCEPTED);
  const { offer } = context;
  const others = [
    { ...context, sessionId: randomBytes(16) },
    { ...context, offer: { ...offer, wire: randomBytes(1093) } },
    { ...context, offer: { ...offer, text: randomBytes(300) } },
    { ...context, exchangeKey: randomBytes(32) },
    { ...context, devicePublicKey: (await newSigner()).publicKey },
    { ...context, key: (await newContext()).key },
  ];
  for (const other of others) {
    await assert.rejects(openAnswer(wire, other), { code: "bad_signature" });
  }
});

/** The transcript as PROTOCOL says it, written out a second time. */
async function transcriptOf({ offer, exchangeKey }: Awaited<ReturnType<typeof newContext>>) {
  const hashes = [await sha256(offer.wire), await sha256(offer.text)];
  return await sha256(utf8("porthole/answer-transcript/v1"), ...hashes, exchangeKey);
}

Deno.test("answer with a reason or keys that nobody knows is refused though it is signed", async () => {
  const context = await newContext();
  const { sessionId, exchangeKey, device, key } = context;
  const base: [number, CborValue][] = [[0, 1], [1, sessionId], [2, await transcriptOf(context)]];
  const open = async (payload: CborValue) => {
    const text = await signEnvelope("answer", encodeCbor(payload), device);
    const header = concat(new Uint8Array([MESSAGE.answer]), exchangeKey);
    const sealed = await new CounterSealer(key).seal(pad(text, [1024]), header);
    return await openAnswer(concat(header, sealed), context);
  };
  assert.deepEqual(await open(new Map([...base, [5, "busy"]])), {
    kind: "refused",
    reason: "busy",
  });
  const payloads: CborValue[] = [
    new Map([...base, [5, "tired"]]),
    new Map<number, CborValue>([...base, [5, "busy"], [3, 1]]),
    new Map([...base, [3, 1]]),
    new Map([...base.slice(1), [0, 2], [5, "busy"]]),
    new Map(base),
    [1, 2, 3],
  ];
  for (const payload of payloads) await assert.rejects(open(payload), { code: "malformed" });
});

Deno.test("answer with the type of another message or of another size is malformed", async () => {
  const wire = await sealAnswer(ACCEPTED, await newContext());
  assert.equal(answerExchangeKey(wire).length, 32);
  for (const type of [0, 1, 3, 255]) {
    const posing = concat(new Uint8Array([type]), wire.slice(1));
    assert.throws(() => answerExchangeKey(posing), { code: "malformed" });
  }
  for (const size of [0, 33, 1072, 1074, 4146]) {
    const bytes = new Uint8Array(size).fill(2);
    assert.throws(() => answerExchangeKey(bytes), { code: "malformed" });
  }
});
