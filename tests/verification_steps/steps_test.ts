import assert from "node:assert/strict";
import { HARNESS_STEPS, STEPS } from "./steps.ts";
import { withoutCheck } from "./step.ts";

const ROOT = new URL("../../", import.meta.url);

async function source(file: string): Promise<string> {
  return await Deno.readTextFile(new URL(file, ROOT));
}

/** Names of the tests in a source; what a template fills in may be anything. */
function testNames(text: string): RegExp[] {
  const names = [...text.matchAll(/Deno\.test\(\s*(["`])(.*?)\1/g)].map(([, , name]) => name!);
  return names.map((name) => {
    const parts = name.split(/\$\{.*?\}/).map((part) =>
      part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
    );
    return new RegExp(`^${parts.join(".+")}$`);
  });
}

Deno.test("each check of the table still stands once in its file, and its test in its own", async () => {
  const rotten: string[] = [];
  for (const step of [...STEPS, ...HARNESS_STEPS]) {
    try {
      assert.notEqual(withoutCheck(await source(step.file), step), await source(step.file));
    } catch (error) {
      rotten.push((error as Error).message);
    }
    const { file, name } = step.test;
    if (!testNames(await source(file)).some((one) => one.test(name))) {
      rotten.push(`${file} has no test "${name}"`);
    }
  }
  assert.deepEqual(rotten, []);
});

Deno.test("no check of the table is there twice", () => {
  const all = STEPS.map(({ file, deletions }) => `${file} ${JSON.stringify(deletions)}`);
  assert.deepEqual(all.filter((one, i) => all.indexOf(one) !== i), []);
});

Deno.test("each file that verifies something has checks in the table", () => {
  const files = new Set(STEPS.map(({ file }) => file));
  const wanted = [
    ..."presence offer answer trickle confirmation session_keys claim grant chain scope revocation"
      .split(" ").map((name) => `src/trust/${name}.ts`),
    ..."invite_link pair_link strict_cbor cose ed25519 browser_handshake device_handshake token"
      .split(" ").map((name) => `src/trust/${name}.ts`),
    ..."admission places entrance owner_entry guest_entry grants clock ttl_meter pairing replay_guard household owner_desk lending"
      .split(" ").map((name) => `src/control/${name}.ts`),
    ..."store owners issuers transaction".split(" ").map((name) => `src/store/${name}.ts`),
    ..."device_connection peers people".split(" ").map((name) => `src/rendezvous/${name}.ts`),
    ..."scope session owner_relay".split(" ").map((name) => `src/agent/${name}.ts`),
  ];
  assert.deepEqual(wanted.filter((file) => !files.has(file)), []);
});
