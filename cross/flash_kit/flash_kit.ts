/**
 * A folder that makes a porthole board of a stock Raspberry Pi OS (trixie or later, which begins with cloud-init): copied to the
 * card's boot partition, it installs the package at the first boot, opens a pairing window for a day, and shows the QR code on
 * the screen and as `porthole/pair.svg` on the boot partition. Nothing is downloaded on the board. Run by Deno:
 * `RENDEZVOUS=https://… deno run -A cross/flash_kit/flash_kit.ts`, or `make flash-kit`.
 */
import { makeDeb } from "../deb/deb.ts";
import { run, say } from "../process.ts";
import { type KitOptions, networkConfig, portholeToml, readOptions, userData } from "./texts.ts";

const ROOT = new URL("../../", import.meta.url);
const HERE = new URL("./", import.meta.url);
const OUTPUT = new URL("dist/flash-kit/", ROOT);
/** Where the boot partition's own files are told from ours. */
const FOLDER = "porthole";

/** Writes the folder. `deb` is the package for arm64. */
export async function writeKit(output: URL, options: KitOptions, deb: string): Promise<void> {
  await Deno.remove(output, { recursive: true }).catch(() => {});
  await Deno.mkdir(new URL(`${FOLDER}/`, output), { recursive: true });
  const write = (name: string, text: string) => Deno.writeTextFile(new URL(name, output), text);
  await write("user-data", userData(options));
  await write("network-config", networkConfig(options));
  await write("meta-data", "instance-id: porthole\n");
  await write(`${FOLDER}/porthole.toml`, portholeToml(options));
  await Deno.copyFile(new URL("first_boot.sh", HERE), new URL(`${FOLDER}/first-boot.sh`, output));
  await Deno.copyFile(new URL("boot.conf", HERE), new URL(`${FOLDER}/boot.conf`, output));
  await Deno.copyFile(deb, new URL(`${FOLDER}/porthole_arm64.deb`, output));
  await Deno.copyFile(new URL("copy_to_card.sh", HERE), new URL("copy-to-card.sh", output));
  await Deno.chmod(new URL("copy-to-card.sh", output), 0o755);
  const files = await run("find", [
    ".",
    "-type",
    "f",
    "!",
    "-name",
    "SHA256SUMS",
    "-printf",
    "%P\n",
  ], {
    cwd: output.pathname,
  });
  const names = files.trim().split("\n").sort();
  await write("SHA256SUMS", await run("sha256sum", names, { cwd: output.pathname }));
}

if (import.meta.main) {
  const options = await readOptions(Deno.env.toObject());
  await writeKit(OUTPUT, options, await makeDeb("aarch64"));
  await say(
    "flash-kit: dist/flash-kit; then 'dist/flash-kit/copy-to-card.sh /path/of/the/mounted/boot/partition'",
  );
}
