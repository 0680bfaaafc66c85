/** The files of `make cross`: each runs, says what it is, and has segments that every kernel can map. */
import assert from "node:assert/strict";
import { build } from "../../cross/build.ts";
import { checksum } from "../../cross/checksum.ts";
import { Elf, sharedPages } from "../../cross/elf.ts";
import { compileStub, readStub } from "../../cross/single_file/stub.ts";
import { inCheckout } from "../e2e/checkout.ts";
import { runPorthole } from "../e2e/processes.ts";
import { boards, EMULATED_LIMIT_MS, nodeApplication } from "./boards.ts";

for (const { name, command, version } of await boards()) {
  Deno.test(`${name}: 'version --json' says how it was made`, async () => {
    const args = ["version", "--json"];
    const found = await runPorthole({ args, from: command, readyLimitMs: EMULATED_LIMIT_MS });
    assert.equal(found.code, 0, found.stderr);
    const { runtime, commit, ...rest } = JSON.parse(found.stdout);
    assert.deepEqual(rest, { version: "0.1.0", ...version });
    assert.match(runtime, /^(deno 2\.9\.5|node 2\d\.\d+\.\d+)$/);
    assert.match(commit, /^[0-9a-f]{12}(-dirty)?$/);
  });
}

Deno.test("arguments reach the program as they were typed, spaces and all", async () => {
  const from = [inCheckout("dist/porthole-x86_64")];
  const { code, stderr } = await runPorthole({ from, args: ["pair", "--no such 'option'"] });
  assert.equal(code, 2);
  assert.equal(stderr, `porthole: there is no option "--no such 'option'"; see --help\n`);
});

Deno.test("more arguments than there is room for are refused in words", async () => {
  const from = [inCheckout("dist/porthole-x86_64")];
  const { code, stderr } = await runPorthole({ from, args: Array(20_000).fill("x") });
  assert.deepEqual([code, stderr], [1, "porthole: Cannot start: too many arguments\n"]);
});

Deno.test("the executable for aarch64 has no two segments in one page of 64 KiB", async () => {
  const elf = new Elf(await Deno.readFile(inCheckout("dist/porthole-aarch64")));
  const segments = elf.segments();
  assert.deepEqual(sharedPages(segments), []);
  for (const { type, address, offset } of segments) {
    if (type === 1) assert.equal(address % 0x10000, offset % 0x10000, "no kernel maps it so");
  }
});

Deno.test("the executable for armv7 says that it cannot serve, and why", async () => {
  const from = await nodeApplication();
  const options = { from, readyLimitMs: EMULATED_LIMIT_MS };
  const version = JSON.parse(
    (await runPorthole({ ...options, args: ["version", "--json"] })).stdout,
  );
  assert.deepEqual([version.arch, version.packaged], ["arm", "sea"]);
  if (version.sqlite) return; // made with NODE_ARMV7
  const { code, stderr } = await runPorthole({ ...options, args: ["run"] });
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^porthole: Cannot run on node 20\.11\.0: it has no node:sqlite; .*NODE_ARMV7/m,
  );
});

Deno.test("the same sources give the same bytes", async () => {
  for (const arch of ["x86_64", "armv7"] as const) {
    const again = await build(arch, `dist/program/again-${arch}`);
    const [first, second] = [inCheckout(`dist/porthole-${arch}`), again];
    assert.equal(await checksum(second, "sha256"), await checksum(first, "sha256"), arch);
    await Deno.remove(again);
  }
});

Deno.test("the stubs that are kept are what stub.c compiles to", async () => {
  for (const arch of ["x86_64", "aarch64"] as const) {
    assert.deepEqual(await compileStub(arch), await readStub(arch), `${arch}: another compiler?`);
  }
});
