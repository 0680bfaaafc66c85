import assert from "node:assert/strict";
import fc from "fast-check";
import { readOrigins, shareSite, siteOf } from "./origins.ts";

const SHELL = "http://porthole.localhost:8080";
const CONTENT = "http://*.porthole.localhost:8080";

Deno.test("origins are read into the forms that headers and Host checks need", () => {
  assert.deepEqual(readOrigins(SHELL, CONTENT), {
    shell: SHELL,
    shellHost: "porthole.localhost:8080",
    shellSocket: "ws://porthole.localhost:8080",
    content: CONTENT,
    contentSuffix: ".porthole.localhost:8080",
  });
  const secure = readOrigins("https://meet.example:443/", "https://*.content.example");
  assert.equal(secure.shellHost, "meet.example");
  assert.equal(secure.shellSocket, "wss://meet.example");
});

Deno.test("origins that are not plain origins are refused with the option's name", () => {
  for (
    const bad of ["", "porthole.localhost", "ftp://x", "http://a/b", "http://u@a", "http://a?x"]
  ) {
    assert.throws(() => readOrigins(bad, CONTENT), /Cannot use --origin/);
  }
  for (
    const bad of ["", "*.x", "http://x", "http://*x", "http://*.x/y", "http://*.", "http://a.*.x"]
  ) {
    assert.throws(() => readOrigins(SHELL, bad), /Cannot use --content-origin/);
  }
});

Deno.test("a content pattern that covers the shell's own origin is refused", () => {
  assert.throws(() => readOrigins("http://app.example", "http://*.example"), /beside the keys/);
});

Deno.test("a Host header names the shell, a content origin or nothing of ours", () => {
  const origins = readOrigins(SHELL, CONTENT);
  const table = [
    ["porthole.localhost:8080", "shell"],
    ["PORTHOLE.localhost:8080", "shell"],
    ["abc.porthole.localhost:8080", "content"],
    ["porthole.localhost", "foreign"],
    ["porthole.localhost:8081", "foreign"],
    ["porthole.localhost.:8080", "foreign"],
    [".porthole.localhost:8080", "foreign"],
    ["a.b.porthole.localhost:8080", "foreign"],
    ["a@porthole.localhost:8080", "foreign"],
    ["-a.porthole.localhost:8080", "foreign"],
    ["xporthole.localhost:8080", "foreign"],
    ["porthole.localhost:8080.evil.com", "foreign"],
    ["", "foreign"],
    [undefined, "foreign"],
  ] as const;
  for (const [host, site] of table) assert.equal(siteOf(host, origins), site, String(host));
});

Deno.test("no made-up Host is taken for the shell", () => {
  const origins = readOrigins(SHELL, CONTENT);
  fc.assert(fc.property(fc.string({ minLength: 1 }), (text) => {
    for (const host of [text, text + origins.shellHost, origins.shellHost + text]) {
      assert.notEqual(siteOf(host, origins), "shell");
    }
  }));
});

Deno.test("shareSite() says whether device pages are of the shell's site", () => {
  for (
    const [shell, content, shared] of [
      ["https://meet.example.org", "https://*.meet.example.org", true],
      ["https://meet.example.org", "https://*.content.example.org", true],
      ["https://example.org", "https://*.content.example.org", true],
      ["https://example.org", "https://*.example.org:444", true],
      ["https://meet.example.org", "https://*.content.example", false],
      ["https://meet.example.org", "https://*.example-content.org", false],
      ["http://meet.example.org", "https://*.meet.example.org", false],
      ["https://meet.one.co.uk", "https://*.two.co.uk", false],
      ["https://meet.one.co.uk", "https://*.one.co.uk", true],
      ["http://porthole.localhost:1", "http://*.porthole.localhost:1", true],
      ["http://porthole.localhost:1", "http://*.porthole-content.localhost:1", false],
    ] as const
  ) {
    assert.equal(shareSite(shell, content), shared, `${shell} ${content}`);
  }
});
