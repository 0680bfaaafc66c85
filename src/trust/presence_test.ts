import assert from "node:assert/strict";
import { signEnvelope } from "./cose.ts";
import { randomBytes } from "./digest.ts";
import { deviceId } from "./key_id.ts";
import { type Presence, signPresence, verifyPresence } from "./presence.ts";
import { type CborValue, encodeCbor } from "./strict_cbor.ts";
import { newSigner } from "./test_ends.ts";

const PRESENCE: Presence = {
  sealingKey: randomBytes(32),
  epoch: 3,
  bootNonce: randomBytes(16),
  sequence: 9,
  minVersion: 1,
};

Deno.test("presence gives back what its device signed, and is nobody else's", async () => {
  const [device, other] = [await newSigner(), await newSigner()];
  const bytes = await signPresence(device, PRESENCE);
  assert.deepEqual(await verifyPresence(bytes, device.publicKey), PRESENCE);
  await assert.rejects(verifyPresence(bytes, other.publicKey), { name: "SignatureError" });
});

Deno.test("presence that is well signed is refused with any field that it may not have", async () => {
  const device = await newSigner();
  const { sealingKey, epoch, bootNonce, sequence, minVersion } = PRESENCE;
  const base: readonly [number, CborValue][] = [
    [0, 1],
    [1, await deviceId(device.publicKey)],
    [2, sealingKey],
    [3, epoch],
    [4, bootNonce],
    [5, sequence],
    [6, minVersion],
  ];
  const read = async (entries: readonly [number, CborValue][], kind: "presence" | "answer") => {
    const bytes = await signEnvelope(kind, encodeCbor(new Map(entries)), device);
    return await verifyPresence(bytes, device.publicKey);
  };
  assert.deepEqual(await read(base, "presence"), PRESENCE);
  await assert.rejects(read(base, "answer"), { name: "SignatureError" });
  const bad: readonly [number, CborValue][] = [
    [0, 2],
    [1, randomBytes(16)],
    [2, randomBytes(31)],
    [3, 2 ** 32],
    [4, randomBytes(15)],
    [5, -1],
    [6, "1"],
    [7, 1],
  ];
  for (const entry of bad) {
    await assert.rejects(read([...base.filter(([key]) => key !== entry[0]), entry], "presence"));
  }
  for (const [key] of base) {
    await assert.rejects(read(base.filter((entry) => entry[0] !== key), "presence"));
  }
});
