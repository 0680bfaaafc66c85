/** Documents that name things of the project stay true: tests by their sentence, and files that links lead to. */
import assert from "node:assert/strict";

const ROOT = new URL("../", import.meta.url);
const DOCUMENTS = [
  "README.md",
  "ARCHITECTURE.md",
  "PROTOCOL.md",
  "SECURITY.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "docs/benchmarks.md",
  "docs/metrics.md",
  "docs/rendezvous.md",
  "docs/reach.md",
];

/** `file`: "sentence", "sentence" */
const NAMED_TESTS = /`([\w/]+_test\.ts)`: ("[^"]+"(?:, "[^"]+")*)/g;
const LINKS = /\]\((?!https?:)([^)#\s]+)/g;

Deno.test("each test that SECURITY.md names is in the file that it names", async () => {
  const text = await Deno.readTextFile(new URL("SECURITY.md", ROOT));
  let count = 0;
  for (const [, file, sentences] of text.matchAll(NAMED_TESTS)) {
    const source = await Deno.readTextFile(new URL(file!, ROOT));
    for (const [, sentence] of sentences!.matchAll(/"([^"]+)"/g)) {
      count++;
      assert.ok(source.includes(sentence!), `${file} has no test "${sentence}"`);
    }
  }
  assert.ok(count > 20, `only ${count} tests were found in SECURITY.md: has its form changed?`);
});

Deno.test("links between documents lead to files that are there", async () => {
  for (const document of DOCUMENTS) {
    const base = new URL(document, ROOT);
    for (const [, path] of (await Deno.readTextFile(base)).matchAll(LINKS)) {
      await assert.doesNotReject(Deno.stat(new URL(path!, base)), `${document} links to ${path}`);
    }
  }
});
