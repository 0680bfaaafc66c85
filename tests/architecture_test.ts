import assert from "node:assert/strict";
import { ROWS, SHARED_PACKAGES, violations } from "./architecture.ts";

const ROOT = new URL("../", import.meta.url);

async function sourcesBelow(folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for await (const entry of Deno.readDir(new URL(folder, ROOT))) {
    const path = folder + entry.name;
    if (entry.isDirectory) {
      for (const [below, text] of await sourcesBelow(`${path}/`)) files.set(below, text);
    } else if (/\.tsx?$/.test(path)) files.set(path, await Deno.readTextFile(new URL(path, ROOT)));
  }
  return files;
}

Deno.test("all imports of src/ and web/ point the way that the table allows", async () => {
  const files = new Map([...await sourcesBelow("src/"), ...await sourcesBelow("web/")]);
  assert.ok(files.size > 0);
  assert.deepEqual(violations(files), []);
});

Deno.test("each package has one folder, but for those that are named as shared", () => {
  const packages = ROWS.flatMap(({ packages }) => packages);
  const twice = packages.filter((name, index) => packages.indexOf(name) !== index);
  assert.deepEqual(twice.filter((name) => !SHARED_PACKAGES.includes(name)), []);
});

Deno.test("each row stands for a folder and says why", async () => {
  for (const { folder, why } of ROWS) {
    assert.ok((await Deno.stat(new URL(folder, ROOT))).isDirectory, folder);
    assert.ok(why.length > 0, folder);
  }
});

/** What `violations` says of one file. */
function judge(path: string, text: string): string[] {
  return violations(new Map([[path, text]]));
}

Deno.test("an import that points the wrong way is found, however it is written", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["src/camera/a.ts", 'import { x } from "../agent/b.ts";', "src/agent/b.ts"],
    ["src/camera/rtsp/a.ts", "import { x } from '../../agent/b.ts';", "src/agent/b.ts"],
    ["src/camera/a.ts", 'import type { X } from "../protocol/mux.ts";', "src/protocol/mux.ts"],
    ["src/camera/a.ts", 'export * from "../webrtc/peer.ts";', "src/webrtc/peer.ts"],
    ["src/camera/a.ts", 'import {\n  x,\n  y,\n} from\n  "../store/b.ts";', "src/store/b.ts"],
    ["src/camera/a.ts", 'const m = await import("../main.ts");', "src/main.ts"],
    ["src/camera/a.ts", "const m = await import( `../main.ts` );", "src/main.ts"],
    ["src/camera/a.ts", 'import "werift";', "werift"],
    ["src/camera/a.ts", 'type P = import("werift").RTCPeerConnection;', "werift"],
    ["src/camera/a.ts", 'import x from "npm:werift@0.25.2";', "npm:werift@0.25.2"],
    ["src/camera/a.ts", 'import x from "https://example.org/a.ts";', "https://example.org/a.ts"],
    ["src/camera/a.ts", 'const q = /["\'`]/; import x from "ws";', "ws"],
    ["src/agent/a.ts", 'import { createSocket } from "node:dgram";', "node:dgram"],
    ["src/upstream/a.ts", 'import { DatabaseSync } from "node:sqlite";', "node:sqlite"],
    ["src/protocol/a.ts", 'import { Buffer } from "node:buffer";', "node:buffer"],
    ["src/protocol/a.ts", 'import type { Log } from "../lib/log.ts";', "src/lib/log.ts"],
    ["src/trust/a.ts", 'import type { Log } from "../lib/log.ts";', "src/lib/log.ts"],
    ["src/trust/a.ts", 'import { decode } from "cbor-x";', "cbor-x"],
    ["src/lib/a.ts", 'import { Mux } from "../protocol/mux.ts";', "src/protocol/mux.ts"],
    ["web/shell/a.tsx", 'import { x } from "../../src/agent/b.ts";', "src/agent/b.ts"],
    ["web/shell/a.tsx", 'import process from "node:process";', "node:process"],
    ["src/agent/a_test.ts", 'import { x } from "../upstream/b.ts";', "src/upstream/b.ts"],
    ["src/agent/a.ts", 'import fc from "fast-check";', "fast-check"],
    ["src/agent/a.ts", 'import { x } from "./fixture.ts";', "src/agent/fixture.ts"],
    ["src/agent/a.ts", 'import { x } from "../../tests/vnet/link.ts";', "tests/vnet/link.ts"],
  ];
  for (const [path, text, target] of cases) {
    assert.deepEqual(judge(path, text), [`${path} imports ${target}`], text);
  }
});

Deno.test("a word that a folder must not use is found", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["src/camera/a.ts", "Deno.exit(1);", "uses Deno: only src/platform/ may"],
    ["src/camera/a.ts", "globalThis.Deno?.pid", "uses Deno: only src/platform/ may"],
    ["web/sw/a.ts", 'Deno["exit"](1)', "uses Deno: only src/platform/ may"],
    ["src/protocol/a.ts", "const now = Date.now();", 'uses "Date.now": time is an argument'],
    ["src/protocol/a.ts", "setTimeout(go, 1);", 'uses "setTimeout": time is an argument'],
    ["src/protocol/a.ts", "async function f() {}", 'uses "async": a pure core waits for nothing'],
    ["src/protocol/a.ts", "Math.random()", 'uses "Math.random": chance is an argument'],
    [
      "src/main.ts",
      "using stop = listen();",
      'uses "using stop =": Node 22 cannot read it, and the bundler leaves it in',
    ],
    ["src/trust/a.ts", "fetch(url)", 'uses "fetch(": time is an argument, and no I/O'],
  ];
  for (const [path, text, found] of cases) {
    assert.deepEqual(judge(path, text), [`${path} ${found}`]);
  }
});

Deno.test("what the table allows is left alone", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["src/main.ts", 'import { x } from "./agent/b.ts"; import "werift"; Deno.exit(0);'],
    ["src/config.ts", 'import { parse } from "smol-toml";'],
    ["src/agent/a.ts", 'import { Mux } from "../protocol/mux.ts"; import { x } from "./b.ts";'],
    ["src/agent/a_test.ts", 'import fc from "fast-check"; import "node:net"; Deno.test("x", f);'],
    ["src/agent/a_test.ts", 'import { x } from "./fixture.ts";'],
    ["src/protocol/a_test.ts", 'import { link } from "../../tests/vnet/link.ts";'],
    ["src/camera/a.ts", 'Buffer.from("../agent/b.ts"); Array.from("werift"); this.import("ws");'],
    ["src/camera/a.ts", 'if ("from" in letter) use(letter.from, "../agent/b.ts");'],
    ["src/camera/a.ts", '// import "werift";\n/* Deno.exit() */ const text = "import \'werift\'";'],
    ["src/camera/a.ts", 'const q = /\\/\\* "/; const url = "http://Deno.land"; // Deno'],
    ["src/platform/a.ts", "Deno.listenDatagram({});"],
    ["src/protocol/a.ts", "function asyncName(crypto: number) {} // Date.now"],
    ["src/protocol/a.ts", 'import { encode } from "cbor-x/index-no-eval";'],
    ["web/shell/a.tsx", 'import { render } from "hono/jsx/dom";\nsetTimeout(render, 1);'],
  ];
  for (const [path, text] of cases) assert.deepEqual(judge(path, text), [], text);
});

Deno.test("a new folder needs a row", () => {
  assert.deepEqual(judge("src/extra/a.ts", ""), [
    "src/extra/a.ts lies in a folder that has no row",
  ]);
});

Deno.test("the unit tests of every folder of src belong to a task of the check", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("../deno.json", import.meta.url)));
  const commands = Object.entries(tasks)
    .filter(([name]) => name.startsWith("test:unit:"))
    .flatMap(([, command]) => String(command).split(" "));
  for await (const { name, isDirectory } of Deno.readDir(new URL("../src/", import.meta.url))) {
    if (isDirectory) assert.ok(commands.includes(`src/${name}`), `no task tests src/${name}`);
  }
});
