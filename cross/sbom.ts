/**
 * What is inside the artefacts (CycloneDX 1.5, `dist/porthole.cdx.json`), from deno.lock: the packages that `src/` and `web/`
 * may import and what those need, and the runtimes; not what only tests use. Run by Deno: `deno run -A cross/sbom.ts`.
 */
import { Buffer } from "node:buffer";
import { VERSION } from "../src/version.ts";
import { ROWS } from "../tests/architecture.ts";
import { run, say } from "./process.ts";
import { runtimePackages } from "./runtimes.ts";
import { sourceTime } from "./sources.ts";

const ROOT = new URL("../", import.meta.url);
const OUTPUT = "dist/porthole.cdx.json";

/** What of deno.lock (version 5) is read. Keys of `npm` are "name@version", with the peers behind a "_". */
export interface Lock {
  readonly specifiers: Readonly<Record<string, string>>;
  readonly npm: Readonly<Record<string, LockedPackage>>;
}

interface LockedPackage {
  readonly integrity: string;
  readonly dependencies?: readonly string[];
}

export interface Component {
  readonly name: string;
  readonly version: string;
  /** SHA-512 of the packed package, in hexadecimal. */
  readonly sha512: string;
  readonly isRuntime: boolean;
}

/** What the composition root imports by itself: it is in no row of the import table. */
const ROOT_PACKAGES = ["qr", "smol-toml", "valibot"];

/** Names of the packages that the program itself imports. */
export function programRoots(): string[] {
  const names = ROWS.flatMap(({ packages }) => packages).map((name) =>
    name.split("/").slice(0, name.startsWith("@") ? 2 : 1).join("/")
  );
  return [...new Set([...names, ...ROOT_PACKAGES])];
}

/** The packages that these need, all the way down, by name and version. Throws an Error for one that is not locked. */
export function closure(lock: Lock, roots: readonly string[]): Component[] {
  const found = new Map<string, Component>();
  const waiting = roots.map((root) => keyOf(lock, root));
  for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
    if (found.has(key)) continue;
    const { integrity, dependencies = [] } = lock.npm[key]!;
    const needs = dependencies.map((name) => keyOf(lock, name));
    const [, name, version] = /^(@?[^@]+)@([^_]+)/.exec(key)!;
    const sha512 = Buffer.from(integrity.replace(/^sha512-/, ""), "base64").toString("hex");
    found.set(key, { name: name!, version: version!, sha512, isRuntime: false });
    waiting.push(...needs);
  }
  return [...found.values()].sort((one, other) => one.name < other.name ? -1 : 1);
}

/** A name, or a name with its version, as the key of `npm`. */
function keyOf({ npm }: Lock, wanted: string): string {
  const keys = Object.keys(npm).filter((key) => key === wanted || key.startsWith(`${wanted}@`));
  if (keys.length === 1) return keys[0]!;
  const exact = Object.keys(npm).find((key) => key.startsWith(`${wanted}_`));
  if (exact !== undefined) return exact;
  throw new Error(`Cannot list what is inside: deno.lock has ${keys.length} of '${wanted}'`);
}

function bill(components: readonly Component[], time: number): object {
  const reference = ({ name, version }: Pick<Component, "name" | "version">) =>
    `pkg:npm/${name.replace(/^@/, "%40")}@${version}`;
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: {
      timestamp: new Date(time * 1000).toISOString(),
      component: {
        type: "application",
        "bom-ref": "porthole",
        name: "porthole",
        version: VERSION,
        licenses: [{ license: { id: "MIT" } }],
      },
    },
    components: components.map((component) => ({
      type: component.isRuntime ? "platform" : "library",
      "bom-ref": reference(component),
      name: component.name,
      version: component.version,
      purl: reference(component),
      hashes: [{ alg: "SHA-512", content: component.sha512 }],
    })),
    dependencies: [{ ref: "porthole", dependsOn: components.map(reference) }],
  };
}

/** Writes the file, and gives its path. */
export async function writeBill(): Promise<string> {
  const lock: Lock = JSON.parse(await Deno.readTextFile(new URL("deno.lock", ROOT)));
  const runtimes = runtimePackages().map((found) => ({ ...found, isRuntime: true }));
  const components = [...runtimes, ...closure(lock, programRoots())];
  const text = JSON.stringify(bill(components, await sourceTime()), null, 2);
  await Deno.writeTextFile(new URL(OUTPUT, ROOT), `${text}\n`);
  return OUTPUT;
}

/** `dist/SHA256SUMS` of everything there that is given away. */
export async function writeSums(): Promise<string> {
  const names: string[] = [];
  for await (const { name, isFile } of Deno.readDir(new URL("dist/", ROOT))) {
    if (isFile && /^porthole[-_.]/.test(name)) names.push(name);
  }
  const sums = await run("sha256sum", names.sort(), { cwd: new URL("dist/", ROOT).pathname });
  await Deno.writeTextFile(new URL("dist/SHA256SUMS", ROOT), sums);
  return "dist/SHA256SUMS";
}

if (import.meta.main) await say(`sbom: ${await writeBill()}, ${await writeSums()}`);
