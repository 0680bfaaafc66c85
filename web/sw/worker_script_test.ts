/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { utf8 } from "../../src/lib/bytes.ts";
import { hasModuleSyntax, workerScriptStream } from "./worker_script.ts";

const IMPORT = `import "/.porthole/inject.js";`;

async function through(source: string, cut = source.length): Promise<string> {
  const bytes = utf8(source);
  const parts = [bytes.slice(0, cut), bytes.slice(cut)];
  const stream = new Blob(parts).stream().pipeThrough(
    workerScriptStream(() => Promise.resolve("ours();\n")),
  );
  return await new Response(stream).text();
}

Deno.test("workerScriptStream() keeps the script's own lines, wherever it is cut", async () => {
  const source = "let a = '€';\nwork(a);\n";
  for (let cut = 0; cut <= utf8(source).length; cut++) {
    assert.equal(await through(source, cut), `ours();;${source}`);
  }
  assert.equal(await through(""), "ours();;");
});

Deno.test("workerScriptStream() is the first import of a module", async () => {
  assert.equal(await through(`import "./a.js";`), `${IMPORT}import "./a.js";`);
  assert.equal(await through("export default 1"), `${IMPORT}export default 1`);
});

Deno.test("workerScriptStream() keeps the directive in force", async () => {
  for (const source of [`'use strict'; a`, `// x\n/* y * z */ "use strict"\na`]) {
    assert.equal(await through(source), `"use strict";ours();;${source}`);
  }
  const late = `a; "use strict"`;
  assert.equal(await through(late), `ours();;${late}`);
});

Deno.test("hasModuleSyntax() is not misled by words, and runs nothing", () => {
  const classic = [
    "import('x')",
    "// import x from 'y'\nrun()",
    "const text = `\nimport x from 'y'\n`",
    "self.export = 1; a.import()",
    "throw new Error('export')",
    "#!/usr/bin/env x\nimport('y')",
  ];
  for (const text of classic) assert.equal(hasModuleSyntax(text), false, text);
  const modules = ["import x from 'y'", "run();\nexport {}", "/**/import'x'", "a;export*from'b'"];
  for (const text of modules) assert.equal(hasModuleSyntax(text), true, text);
});
