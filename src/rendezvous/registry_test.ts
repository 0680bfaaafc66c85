import assert from "node:assert/strict";
import { SILENT } from "../lib/log.ts";
import { type Holder, Registry } from "./registry.ts";

const living: Holder = { alive: () => Promise.resolve(true) };
const dead = (): Holder => ({ alive: () => Promise.resolve(false) });

Deno.test("registry gives a device to the first and keeps it there while that one lives", async () => {
  const registry = new Registry(SILENT, 1);
  assert.equal(await registry.claim("a", living), true);
  assert.equal(await registry.claim("a", dead()), false);
  assert.equal(await registry.claim("b", dead()), true);
});

Deno.test("registry lets only one of two newcomers replace a dead holder", async () => {
  const registry = new Registry(SILENT, 1);
  await registry.claim("a", dead());
  const claims = await Promise.all([registry.claim("a", dead()), registry.claim("a", dead())]);
  assert.deepEqual(claims, [true, false]);
});

Deno.test("registry lets a newcomer in when the holder leaves during the question", async () => {
  const registry = new Registry(SILENT, 1);
  const leaving: Holder = {
    alive: () => {
      registry.release("a", leaving);
      return Promise.resolve(false);
    },
  };
  await registry.claim("a", leaving);
  assert.equal(await registry.claim("a", living), true);
});

Deno.test("registry ignores the leave of a holder that was replaced", async () => {
  const registry = new Registry(SILENT, 1);
  const older = dead();
  await registry.claim("a", older);
  await registry.claim("a", living);
  registry.release("a", older);
  assert.equal(registry.size, 1);
  registry.release("a", living);
  assert.equal(registry.size, 0);
});
