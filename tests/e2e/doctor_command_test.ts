// `porthole doctor` as people type it: beside an agent that runs, and where none does.
import assert from "node:assert/strict";
import { Home } from "./home.ts";

Deno.test("doctor says that all is well, then what is not, and exits by it", async () => {
  await using home = await Home.start();
  const well = await home.run("doctor");
  assert.equal(well.code, 0, well.stdout + well.stderr);
  for (const leg of ["agent", "rendezvous", "clock", "service ui", "camera front"]) {
    assert.match(well.stdout, new RegExp(`^good +${leg} `, "m"));
  }
  const asked = await home.ask("doctor");
  assert.deepEqual(asked.bad, []);

  await home.stopDevice();
  const config = `${home.state}/../porthole.toml`;
  const { code, stdout, stderr } = await home.run("doctor", "--config", config, "--json");
  assert.equal(code, 1);
  assert.deepEqual(JSON.parse(stdout).bad, ["agent"], stdout);
  assert.match(stderr.trimEnd().split("\n").at(-1)!, /^porthole: .*agent/);
  const words = await home.run("doctor", "--config", config);
  assert.match(words.stdout, /^BAD +agent .*\n +→ start it/m);
});
