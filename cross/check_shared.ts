/**
 * Checks that what `src/` shares with browsers (protocol/, trust/, two files of lib/) has the types that browsers have: the
 * same files, under the compiler options of `web/deno.json`, without Deno's or Node's own. Run by Deno:
 * `deno task check:shared`.
 */
const ROOT = new URL("../", import.meta.url);
const SHARED_FOLDERS = ["src/protocol", "src/trust"];
const SHARED_FILES = ["src/lib/bytes.ts", "src/lib/network_path.ts"];
/** What stands beside the code for its tests runs on Deno only. */
const IS_TEST = /^(?:.*_test|fixture|test_.*)\.ts$/;

interface Settings {
  readonly imports: Readonly<Record<string, string>>;
  readonly compilerOptions: Readonly<Record<string, unknown>>;
}

async function readSettings(path: string): Promise<Settings> {
  return JSON.parse(await Deno.readTextFile(new URL(path, ROOT)));
}

/** A configuration of its own: a file takes its options from the nearest deno.json, which is not web's here. */
async function writeSettings(): Promise<string> {
  const [root, web] = [await readSettings("deno.json"), await readSettings("web/deno.json")];
  const settings = {
    imports: root.imports,
    nodeModulesDir: "none",
    compilerOptions: { ...root.compilerOptions, ...web.compilerOptions },
  };
  const path = await Deno.makeTempFile({ suffix: ".json" });
  await Deno.writeTextFile(path, JSON.stringify(settings));
  return path;
}

async function sharedFiles(): Promise<string[]> {
  const files = [...SHARED_FILES];
  for (const folder of SHARED_FOLDERS) {
    for await (const { name } of Deno.readDir(new URL(folder, ROOT))) {
      if (name.endsWith(".ts") && !IS_TEST.test(name)) files.push(`${folder}/${name}`);
    }
  }
  return files;
}

const settings = await writeSettings();
const { code } = await new Deno.Command(Deno.execPath(), {
  args: ["check", "--quiet", "--no-lock", "--config", settings, ...await sharedFiles()],
  cwd: ROOT,
  stdout: "inherit",
  stderr: "inherit",
}).output().finally(() => Deno.remove(settings));
Deno.exit(code);
