import assert from "node:assert/strict";
import { closure, type Lock, programRoots } from "./sbom.ts";

const integrity = `sha512-${btoa("x".repeat(64))}`;

Deno.test("what is inside is what the roots need, all the way down, and nothing else", () => {
  const lock: Lock = {
    specifiers: {},
    npm: {
      "a@1.0.0": { integrity, dependencies: ["b", "@s/c@2.0.0"] },
      "b@1.1.0_a@1.0.0": { integrity, dependencies: ["a"] },
      "@s/c@1.0.0": { integrity },
      "@s/c@2.0.0": { integrity },
      "only-for-tests@9.0.0": { integrity },
    },
  };
  const found = closure(lock, ["a"]).map(({ name, version }) => `${name} ${version}`);
  assert.deepEqual(found, ["@s/c 2.0.0", "a 1.0.0", "b 1.1.0"]);
  assert.equal(closure(lock, ["@s/c@1.0.0"])[0]!.sha512, "78".repeat(64));
  assert.throws(() => closure(lock, ["missing"]), /deno.lock has 0 of 'missing'/);
});

Deno.test("all packages of the program are locked, and browsers for tests are not among them", async () => {
  const lock: Lock = JSON.parse(await Deno.readTextFile(new URL("../deno.lock", import.meta.url)));
  const names = closure(lock, programRoots()).map(({ name }) => name);
  for (const name of ["werift", "hono", "ws", "cborg"]) assert.ok(names.includes(name), name);
  for (const name of ["playwright-core", "fast-check"]) assert.ok(!names.includes(name), name);
});
