import assert from "node:assert/strict";
import { KeyRotation, ROTATE_AFTER_SECONDS } from "./key_rotation.ts";
import { Scene } from "./testing/scene.ts";
import { newSigner } from "../trust/test_ends.ts";

const DAY = 24 * 3600;

Deno.test("sealing key changes each week of uptime, and offers to the last one still come in", async () => {
  await Scene.run(async (scene) => {
    const { world, identity, rotation } = scene;
    world.synchronised = false;
    const signer = await newSigner();
    await scene.addOwner(signer);
    await rotation.look();
    const early = await scene.browser(signer);
    world.pass(ROTATE_AFTER_SECONDS - 1);
    await rotation.look();
    assert.equal(identity.sealing[0]!.epoch, 1);
    world.pass(1);
    await rotation.look();
    await rotation.look();
    assert.deepEqual(identity.sealing.map(({ epoch }) => epoch), [2, 1]);
    assert.equal(scene.presenceChanges, 1);
    await early.admitted();
    await (await scene.browser(signer)).admitted();
  });
});

Deno.test("sealing key changes by the date of its file, once the time is known", async () => {
  const now = Date.UTC(2027, 0, 1) / 1000;
  let knowledge: "unknown" | "synchronised" = "unknown";
  let madeAt = now - 8 * DAY;
  let rotations = 0;
  const rotation = new KeyRotation({
    identity: {
      sealingKeyMadeAt: () => Promise.resolve(madeAt),
      rotateSealingKey: () => {
        madeAt = now;
        return Promise.resolve();
      },
    },
    clock: { now: () => now, knowledge: () => knowledge },
    monotonic: () => 0,
    onRotation: () => rotations++,
  });
  await rotation.look();
  assert.equal(rotations, 0);
  knowledge = "synchronised";
  await rotation.look();
  await rotation.look();
  assert.equal(rotations, 1);
  madeAt = now + DAY; // written while the clock was wrong
  await rotation.look();
  assert.equal(rotations, 1);
});

Deno.test("sealing key stays when the new one cannot be written", async () => {
  const rotation = new KeyRotation({
    identity: {
      sealingKeyMadeAt: () => Promise.resolve(0),
      rotateSealingKey: () => Promise.reject(new Error("disk full")),
    },
    clock: { now: () => 1e9, knowledge: () => "synchronised" },
    monotonic: () => 0,
    onRotation: () => assert.fail("nothing changed"),
  });
  await assert.rejects(rotation.look(), /disk full/);
});
