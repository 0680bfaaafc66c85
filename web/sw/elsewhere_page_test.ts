/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { elsewhereResponse } from "./elsewhere_page.ts";
import { takeOwnWords } from "./own_headers.ts";

const SHELL = "https://shell.example";
const VIEW = `${SHELL}/#/d/${"a".repeat(26)}/s/`;

function shown(elsewhere: { service: string; path: string }, address: string): Promise<string> {
  return elsewhereResponse(elsewhere, { title: "<b>", address, shellOrigin: SHELL }).text();
}

Deno.test("a redirect to another service becomes a link to its view in the shell", async () => {
  const html = await shown({ service: "cam", path: `/a?b="c&d` }, `${VIEW}ui/x#/s/other/`);
  assert.ok(html.includes(`href="${VIEW}cam/a?b=&#34;c&#38;d"`), html);
  assert.ok(!html.includes("<b>"));
});

Deno.test("an address that is not the shell's leads nowhere", async () => {
  const addresses = ["", "https://evil.example/#/d/x/s/", VIEW.replace("https:", "javascript:")];
  for (const address of [...addresses, `${SHELL}/`, `${SHELL}.evil/#/d/${"a".repeat(26)}/s/ui/`]) {
    const html = await shown({ service: "cam", path: "/" }, address);
    assert.ok(!html.includes("href"), address);
  }
});

Deno.test("what the agent says of another service is read, and nothing else", () => {
  const read = (value: string) =>
    takeOwnWords({ status: 302, headers: [["x-porthole-elsewhere", value]] }).elsewhere;
  assert.deepEqual(read("cam-2 /a b"), { service: "cam-2", path: "/a b" });
  for (const value of ["", "cam", "cam x", "CAM /", "a/b /", " /"]) {
    assert.equal(read(value), undefined);
  }
});
