/**
 * The package under a real systemd: what the unit promises is so. A board's kernel and its devices are not here: cameras of
 * its own connector were not tried.
 */
import assert from "node:assert/strict";
import { writeKit } from "../../cross/flash_kit/flash_kit.ts";
import { run } from "../../cross/process.ts";
import { VERSION } from "../../src/version.ts";
import { inCheckout } from "../e2e/checkout.ts";
import { BootedSystem, until } from "./booted_system.ts";
import { ScratchSystem, scratchSystemLack } from "./scratch_system.ts";

const DEB = inCheckout(`dist/porthole_${VERSION}_amd64.deb`);
const UNIT = "porthole.service";
const STATE = "/var/lib/porthole";
/** In a row; systemd gives up after ten. */
const KILLS = 5;

const lack = scratchSystemLack();
if (lack !== undefined) {
  Deno.stderr.writeSync(new TextEncoder().encode(`systemd is skipped: ${lack}\n`));
}
const OPTIONS = { ignore: lack !== undefined };

const CONFIG = `name = "Gate"
rendezvous = "ws://127.0.0.1:9"
clock = "system"
`;

Deno.test(
  "under systemd the agent serves behind walls, and comes back whatever ends it",
  OPTIONS,
  async (t) => {
    await using scratch = await ScratchSystem.make();
    await Deno.copyFile(DEB, `${scratch.root}/porthole.deb`);
    assert.equal((await scratch.run("dpkg", "-i", "/porthole.deb")).code, 0);
    await using system = await BootedSystem.boot(scratch);
    const pid = async () => Number(await system.property(UNIT, "MainPID"));
    const device = async () =>
      JSON.parse(await system.succeed("porthole", "status", "--json")).device as string;
    /** Another process than that one, that serves. */
    const successor = (of: number) =>
      until("new process that serves", async () => {
        const now = await pid();
        const active = await system.property(UNIT, "ActiveState");
        return now !== 0 && now !== of && active === "active" ? now : undefined;
      });

    await t.step("not configured, it is skipped and has not failed", async () => {
      assert.equal(await system.property(UNIT, "ActiveState"), "inactive");
      assert.equal(await system.property(UNIT, "Result"), "exec-condition");
    });

    await t.step("configured, it starts, tells systemd so, and answers commands", async () => {
      await Deno.writeTextFile(`${scratch.root}/etc/porthole/porthole.toml`, CONFIG);
      await system.succeed("systemctl", "start", UNIT);
      assert.equal(await system.property(UNIT, "StatusText"), `porthole ${VERSION} serves`);
      const { url } = JSON.parse(await system.succeed("porthole", "pair", "--json"));
      assert.match(url, /#pair=/);
    });

    await t.step(
      "it has a user of its own, no rights, and a filter before the kernel",
      async () => {
        const status = await system.succeed("cat", `/proc/${await pid()}/status`);
        const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(status)?.[1];
        assert.equal(field("Uid"), (await system.succeed("id", "-u", "porthole")).trim());
        assert.deepEqual(
          ["NoNewPrivs", "CapEff", "CapBnd", "Seccomp"].map(field),
          ["1", "0000000000000000", "0000000000000000", "2"],
        );
        assert.equal(await system.succeed("stat", "-c", "%a %U", STATE), "700 porthole\n");
      },
    );

    let first: string;
    await t.step("killed again and again, it comes back as the same device", async () => {
      first = await device();
      for (let kill = 0; kill < KILLS; kill++) {
        const before = await pid();
        await system.succeed("sh", "-c", `kill -KILL ${before}`);
        await successor(before);
        assert.equal(await device(), first);
      }
      await system.succeed("systemctl", "reset-failed", UNIT);
    });

    await t.step("a loop that hangs is noticed by the watchdog and begins anew", async () => {
      const before = await pid();
      await system.succeed("sh", "-c", `kill -STOP ${before}`);
      await successor(before);
      const log = await system.succeed("journalctl", "--no-pager", "-o", "cat", "-u", UNIT);
      assert.match(log, /Watchdog timeout/);
      assert.equal(await device(), first);
    });

    await t.step("an upgrade restarts it and keeps its state", async () => {
      const before = await pid();
      await system.succeed("dpkg", "-i", "/porthole.deb");
      await successor(before);
      assert.equal(await device(), first);
    });

    await t.step("a stop is a clean end", async () => {
      await system.succeed("systemctl", "stop", UNIT);
      assert.equal(await system.property(UNIT, "Result"), "success");
      assert.equal(await system.property(UNIT, "ExecMainStatus"), "0");
      await system.succeed("systemctl", "start", UNIT);
    });

    await t.step("remove stops it", async () => {
      const before = await pid();
      await system.succeed("dpkg", "-r", "porthole");
      assert.equal((await system.run("test", "-e", `/proc/${before}`)).code, 1);
      await system.succeed("dpkg", "-P", "porthole");
      assert.ok(!await scratch.has(STATE));
    });
  },
);

Deno.test(
  "a flash kit's first boot installs, pairs on the boot partition, and cleans up",
  OPTIONS,
  async () => {
    await using scratch = await ScratchSystem.make();
    const boot = `${scratch.root}/boot/firmware`;
    await Deno.mkdir(boot, { recursive: true });
    for (const name of ["config.txt", "cmdline.txt", "user-data"]) {
      await Deno.writeTextFile(`${boot}/${name}`, "\n");
    }
    const kit = await Deno.makeTempDir();
    const options = {
      ...{ rendezvous: "ws://127.0.0.1:9", name: "Gate" },
      ...{ sshKey: undefined, wifi: undefined, config: undefined },
    };
    await writeKit(new URL(`file://${kit}/kit/`), options, DEB); // its name says arm64; here it is this machine's
    await run(`${kit}/kit/copy-to-card.sh`, [boot]);
    await Deno.remove(kit, { recursive: true });

    await using system = await BootedSystem.boot(scratch);
    // There is no screen here; the rest of the unit is as it is shipped.
    await scratchDropIn(scratch, "[Service]\nStandardOutput=journal\nTTYPath=/dev/null\n");
    await system.succeed("sh", "/boot/firmware/porthole/first-boot.sh");
    const picture = `${boot}/porthole/pair.svg`;
    const shown = await until("picture", () => Deno.readTextFile(picture).catch(() => undefined));
    assert.match(shown, /^<svg[^]*<\/svg>/);
    const { windows } = JSON.parse(await system.succeed("porthole", "owners", "--json"));
    assert.equal(windows.length, 1);
    await system.succeed("porthole", "revoke", windows[0].id);
    await until(
      "end of the picture",
      async () => await scratch.has("/boot/firmware/porthole/pair.svg") ? undefined : true,
    );
  },
);

async function scratchDropIn(scratch: ScratchSystem, text: string): Promise<void> {
  const folder = `${scratch.root}/etc/systemd/system/porthole-pair.service.d`;
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}/no-screen.conf`, text);
}
