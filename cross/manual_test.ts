import assert from "node:assert/strict";
import { COMMANDS } from "../src/commands.ts";
import { bashCompletion, fishCompletion, manualPage, zshCompletion } from "./manual.ts";

Deno.test("manual and completions know every command and option", () => {
  const manual = manualPage("2026-11-20").replaceAll("\\-", "-");
  for (const { name, options } of COMMANDS) {
    assert.match(manual, new RegExp(`^\\.SS porthole ${name}\\b`, "m"));
    for (const option of options) {
      for (const text of [manual, bashCompletion(), zshCompletion()]) {
        assert.ok(text.includes(`--${option.name}`), `--${option.name}`);
      }
      assert.ok(fishCompletion().includes(`-l ${option.name}`), option.name);
    }
  }
});

Deno.test("no line of the manual begins with a sign that roff takes for its own by mistake", () => {
  const lines = manualPage("2026-11-20").split("\n");
  const requests = new Set([".TH", ".SH", ".SS", ".TP", ".B", ".BR"]);
  for (const line of lines) {
    if (/^[.']/.test(line)) assert.ok(requests.has(line.split(" ")[0]!), line);
  }
});

Deno.test("bash completes commands, and the options of a command", async () => {
  const complete = async (words: readonly string[]) => {
    const script = `${bashCompletion()}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}
_porthole; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = await new Deno.Command("bash", { args: ["-c", script] }).output();
    return new TextDecoder().decode(stdout).trim().split("\n");
  };
  assert.deepEqual(await complete(["porthole", "ve"]), ["version"]);
  assert.deepEqual(await complete(["porthole", "version", "--"]), ["--json"]);
  assert.ok((await complete(["porthole", "lend", "--s"])).includes("--scope"));
});
