/**
 * The flash kit: what cloud-init says of it, its way over an image of a boot partition, and its copying script. A board was
 * not at hand: that the card boots is not shown here.
 */
import assert from "node:assert/strict";
import { writeKit } from "../../cross/flash_kit/flash_kit.ts";
import { readOptions } from "../../cross/flash_kit/texts.ts";
import { run } from "../../cross/process.ts";
import { sysroot } from "../../cross/sysroot.ts";
import { VERSION } from "../../src/version.ts";
import { inCheckout } from "../e2e/checkout.ts";

const DEB = inCheckout(`dist/porthole_${VERSION}_arm64.deb`);
/** As large as Raspberry Pi OS makes it. */
const IMAGE_MB = 512;

/** A kit in a folder of its own, with all that may be given. */
class Kit implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<Kit> {
    const folder = await Deno.makeTempDir({ prefix: "porthole-kit-" });
    const key = `${folder}/key.pub`;
    await Deno.writeTextFile(key, `ssh-ed25519 ${btoa("k".repeat(51))} somebody@home\n`);
    const options = await readOptions({
      ...{ RENDEZVOUS: "https://meet.example.org", NAME: 'Gate "2"', SSH_KEY: key },
      ...{ WIFI_SSID: "Home: #1", WIFI_PASSWORD: "it's \\secret\"", WIFI_COUNTRY: "DE" },
    });
    await writeKit(new URL(`file://${folder}/kit/`), options, DEB);
    return new Kit(folder);
  }

  get path(): string {
    return `${this.folder}/kit`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

Deno.test("cloud-init takes the kit's configuration, and would say if it did not", async () => {
  await using kit = await Kit.make();
  const tools = await sysroot("tools");
  const schema = async (file: string, type: string) => {
    const env: Record<string, string> = { PYTHONPATH: `${tools}/usr/lib/python3/dist-packages` };
    const args = ["-m", "cloudinit.cmd.main", "schema", "--config-file", file];
    const { code, stdout, stderr } = await new Deno.Command("/usr/bin/python3", { args, env })
      .output();
    const decoder = new TextDecoder();
    return { code, said: `${type}: ${decoder.decode(stdout)}${decoder.decode(stderr)}` };
  };
  const { code, said } = await schema(`${kit.path}/user-data`, "user-data");
  assert.equal(code, 0, said);
  const broken = `${kit.folder}/broken`;
  const text = await Deno.readTextFile(`${kit.path}/user-data`);
  await Deno.writeTextFile(broken, text.replace("runcmd:", "runcmd: 7\nx:"));
  assert.notEqual((await schema(broken, "broken")).code, 0);
});

Deno.test("the kit's YAML holds what was given, quotes and all", async () => {
  await using kit = await Kit.make();
  const parse = async (name: string) => {
    const program = "import json,sys,yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))";
    const env: Record<string, string> = {
      PYTHONPATH: `${await sysroot("tools")}/usr/lib/python3/dist-packages`,
    };
    return JSON.parse(
      await run("/usr/bin/python3", ["-c", program, `${kit.path}/${name}`], { env }),
    );
  };
  const { network } = await parse("network-config");
  assert.deepEqual(network.wifis.wlan0["access-points"], {
    "Home: #1": { password: "it's \\secret\"" },
  });
  const { users, runcmd } = await parse("user-data");
  assert.equal(users[0].lock_passwd, true);
  assert.match(users[0].ssh_authorized_keys[0], /^ssh-ed25519 /);
  assert.deepEqual(runcmd, [["sh", "/boot/firmware/porthole/first-boot.sh"]]);
});

Deno.test("the kit goes over a card's image and comes back as it was", async () => {
  await using kit = await Kit.make();
  const image = `${kit.folder}/boot.img`;
  await run("truncate", ["-s", `${IMAGE_MB}M`, image]);
  await run("/usr/sbin/mkfs.vfat", ["-n", "bootfs", image]);
  await run("mcopy", ["-i", image, "-s", ...await entries(kit.path), "::/"]);
  await Deno.mkdir(`${kit.folder}/back`);
  await run("mcopy", ["-i", image, "-s", "::/*", `${kit.folder}/back/`]);
  await run("sha256sum", ["-c", "--quiet", "SHA256SUMS"], { cwd: `${kit.folder}/back` });
});

Deno.test("the script copies to a boot partition, keeps what was there, and refuses other folders", async () => {
  await using kit = await Kit.make();
  const boot = `${kit.folder}/bootfs`;
  await Deno.mkdir(boot);
  const copy = () => new Deno.Command(`${kit.path}/copy-to-card.sh`, { args: [boot] }).output();
  for (const name of ["config.txt", "cmdline.txt", "user-data"]) {
    assert.equal((await copy()).code, 1, `without ${name}`);
    await Deno.writeTextFile(`${boot}/${name}`, `the system's ${name}\n`);
  }
  for (let time = 0; time < 2; time++) {
    const { code, stderr } = await copy();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
  }
  assert.equal(
    await Deno.readTextFile(`${boot}/user-data.before-porthole`),
    "the system's user-data\n",
  );
  assert.equal(await Deno.readTextFile(`${boot}/config.txt`), "the system's config.txt\n");
  const toml = await Deno.readTextFile(`${boot}/porthole/porthole.toml`);
  assert.match(toml, /^rendezvous = "wss:\/\/meet\.example\.org"$/m);

  await Deno.writeTextFile(`${kit.path}/porthole/first-boot.sh`, "another\n");
  assert.equal((await copy()).code, 1, "a damaged kit");
});

async function entries(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) names.push(`${folder}/${name}`);
  return names;
}
