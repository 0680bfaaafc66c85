/** The packages: what lintian says, and a life from the first installation to the purge in a Debian of its own. */
import assert from "node:assert/strict";
import { checksum } from "../../cross/checksum.ts";
import { makeDeb } from "../../cross/deb/deb.ts";
import { run } from "../../cross/process.ts";
import { VERSION } from "../../src/version.ts";
import { inCheckout } from "../e2e/checkout.ts";
import { ScratchSystem, scratchSystemLack } from "./scratch_system.ts";

const PACKAGES = ["amd64", "arm64", "armhf"].map((arch) => ({
  arch,
  path: inCheckout(`dist/porthole_${VERSION}_${arch}.deb`),
}));
const [AMD64] = PACKAGES;
/** DESIGN 12: what a board downloads. */
const LARGEST_BYTES = 32e6;

for (const { arch, path } of PACKAGES) {
  Deno.test(`the package for ${arch} says what it is for, and lintian finds no error`, async () => {
    const fields = await run("dpkg-deb", ["-f", path, "Package", "Architecture", "Version"]);
    assert.equal(fields, `Package: porthole\nArchitecture: ${arch}\nVersion: ${VERSION}\n`);
    const said = await run("lintian", ["--fail-on=error", "--no-tag-display-limit", path]);
    assert.doesNotMatch(said, /^E:/m);
  });

  Deno.test(`the package for ${arch} is at most ${LARGEST_BYTES / 1e6} MB`, async () => {
    const { size } = await Deno.stat(path);
    assert.ok(size <= LARGEST_BYTES, `${size} bytes`);
  });
}

Deno.test("the same sources give the same package", async () => {
  const before = await checksum(AMD64!.path, "sha256");
  await makeDeb("x86_64");
  assert.equal(await checksum(AMD64!.path, "sha256"), before);
});

const lack = scratchSystemLack();
if (lack !== undefined) {
  Deno.stderr.writeSync(new TextEncoder().encode(`installing is skipped: ${lack}\n`));
}

Deno.test({
  name: "the package is installed, upgraded, removed and purged, and keeps what is to be kept",
  ignore: lack !== undefined,
  fn: async (t) => {
    await using system = await ScratchSystem.make();
    await Deno.copyFile(AMD64!.path, `${system.root}/porthole.deb`);
    const succeed = async (...command: string[]) => {
      const { code, output } = await system.run(...command);
      assert.equal(code, 0, `${command.join(" ")}: ${output}`);
      return output;
    };

    await t.step(
      "install makes the user and a configuration, and enables the agent alone",
      async () => {
        await succeed("dpkg", "-i", "/porthole.deb");
        assert.match(await succeed("id", "porthole"), /uid=\d+\(porthole\)/);
        const mode = await succeed("stat", "-c", "%a %U %G", "/etc/porthole/porthole.toml");
        assert.equal(mode, "640 root porthole\n");
        assert.equal(await succeed("systemctl", "is-enabled", "porthole.service"), "enabled\n");
        const { output } = await system.run(
          "systemctl",
          "is-enabled",
          "porthole-rendezvous.service",
        );
        assert.equal(output, "disabled\n");
        assert.equal(await succeed("dpkg", "--verify", "porthole"), "");
      },
    );

    await t.step("the program runs there, with its manual and completion", async () => {
      assert.equal(
        JSON.parse(await succeed("porthole", "version", "--json")).packaged,
        "single-file",
      );
      assert.match(await succeed("man", "-P", "cat", "porthole"), /porthole lend/);
      const script = `. /usr/share/bash-completion/completions/porthole
        COMP_WORDS=(porthole len) COMP_CWORD=1; _porthole; echo "$COMPREPLY"`;
      assert.equal(await succeed("bash", "-c", script), "lend\n");
    });

    await t.step(
      "the configuration that is shipped is skipped until it names a rendezvous",
      async () => {
        const { code } = await system.run(...await condition());
        assert.equal(code, 1);
        await Deno.writeTextFile(
          `${system.root}/etc/porthole/porthole.toml`,
          'name = "Gate"\nrendezvous = "ws://127.0.0.1:9"\n',
        );
        await succeed(...await condition());
      },
    );

    await t.step("an upgrade keeps configuration and state", async () => {
      await Deno.mkdir(`${system.root}/var/lib/porthole`, { recursive: true });
      await Deno.writeTextFile(`${system.root}/var/lib/porthole/kept`, "state");
      await succeed("dpkg", "-i", "/porthole.deb");
      assert.match(await Deno.readTextFile(`${system.root}/etc/porthole/porthole.toml`), /Gate/);
      assert.ok(await system.has("/var/lib/porthole/kept"));
      assert.equal(await succeed("systemctl", "is-enabled", "porthole.service"), "enabled\n");
    });

    await t.step("an agent that a person disabled stays so over an upgrade", async () => {
      await succeed("systemctl", "disable", "porthole.service");
      await succeed("dpkg", "-i", "/porthole.deb");
      const { output } = await system.run("systemctl", "is-enabled", "porthole.service");
      assert.equal(output, "disabled\n");
      await succeed("systemctl", "enable", "porthole.service");
    });

    await t.step("remove takes the program and keeps configuration and state", async () => {
      await succeed("dpkg", "-r", "porthole");
      assert.ok(!await system.has("/usr/bin/porthole"));
      assert.ok(await system.has("/etc/porthole/porthole.toml"));
      assert.ok(await system.has("/var/lib/porthole/kept"));
    });

    await t.step("purge asks for nothing and takes the rest", async () => {
      await succeed("dpkg", "-P", "porthole");
      for (const path of ["/etc/porthole", "/var/lib/porthole", "/var/cache/porthole"]) {
        assert.ok(!await system.has(path), path);
      }
      const links = await succeed("find", "/etc/systemd", "-name", "porthole*");
      assert.equal(links, "");
    });
  },
});

/** The unit's own: `ExecCondition`. */
async function condition(): Promise<string[]> {
  const unit = await Deno.readTextFile(inCheckout("systemd/porthole.service"));
  const [, line] = /^ExecCondition=(.*)$/m.exec(unit)!;
  return line!.replaceAll('"', "").split(" ");
}
