/** The units: systemd reads them without complaint, and what it says of their walls. */
import assert from "node:assert/strict";
import { run } from "../../cross/process.ts";
import { inCheckout } from "../e2e/checkout.ts";

const UNITS = ["porthole", "porthole-rendezvous", "porthole-pair"] as const;
/** Of 10; below 2 is what systemd calls "OK" (systemd-analyze(1)). */
const MOST_EXPOSED = 2;

for (const unit of UNITS) {
  Deno.test(`${unit}.service is walled in`, async () => {
    const path = inCheckout(`systemd/${unit}.service`);
    const said = await run("systemd-analyze", ["security", "--offline=true", "--no-pager", path]);
    const [, level] = /Overall exposure level for \S+: ([\d.]+)/.exec(said)!;
    assert.ok(Number(level) <= MOST_EXPOSED, `exposure ${level}`);
  });
}

Deno.test("systemd reads the units without complaint", async () => {
  const folder = await Deno.makeTempDir();
  try {
    // verify looks for the program at its place: a stand-in is enough for a reader of units.
    for (const unit of UNITS) {
      const text = await Deno.readTextFile(inCheckout(`systemd/${unit}.service`));
      await Deno.writeTextFile(
        `${folder}/${unit}.service`,
        text.replaceAll("/usr/bin/porthole", "/bin/true").replaceAll(
          "man:porthole(1)",
          "man:sh(1)",
        ),
      );
    }
    const paths = UNITS.map((unit) => `${folder}/${unit}.service`);
    const { code, stdout, stderr } = await new Deno.Command("systemd-analyze", {
      args: ["verify", "--man=no", ...paths],
    }).output();
    const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    assert.deepEqual([code, said.split("\n").filter((line) => line.includes("porthole"))], [0, []]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("each path that the agent's unit gives away is one that the program knows", async () => {
  const unit = await Deno.readTextFile(inCheckout("systemd/porthole.service"));
  assert.match(unit, /^StateDirectory=porthole$/m);
  assert.match(unit, /^ProtectSystem=strict$/m);
  const config = await Deno.readTextFile(inCheckout("src/config.ts"));
  assert.ok(
    config.includes('"/var/lib/porthole"') && config.includes("/etc/porthole/porthole.toml"),
  );
});
