import assert from "node:assert/strict";
import type { Header } from "../protocol/http.ts";
import { type Addressing, browserHeaders, serviceHeaders } from "./policy.ts";
import { parseTarget } from "./target.ts";

const CONTENT = "https://abc.content.example";
const FORWARDED: Header[] = [
  ["X-Forwarded-Proto", "https"],
  ["X-Forwarded-Host", "abc.content.example"],
  ["X-Forwarded-Port", "443"],
];

function addressing(
  target = "http://127.0.0.1:8384",
  host: Addressing["host"] = "target",
): Addressing {
  return { target: parseTarget(target), host, isContentOrigin: (origin) => origin === CONTENT };
}

function sent(headers: readonly Header[], how = addressing()): readonly Header[] {
  return serviceHeaders({ kind: "http", service: "ui", method: "GET", path: "/", headers }, how);
}

const CASES: readonly [name: string, given: Header[], expected: Header[]][] = [
  ["nothing known", [], []],
  ["our own origin", [["Origin", CONTENT]], [["Origin", "http://127.0.0.1:8384"], ...FORWARDED]],
  [
    "our own referrer, its path and query kept",
    [["Referer", `${CONTENT}/a//b?c=%2F`]],
    [["Referer", "http://127.0.0.1:8384/a//b?c=%2F"], ...FORWARDED],
  ],
  [
    "where WebDAV moves a file to",
    [["Origin", CONTENT], ["Destination", `${CONTENT}/dav/a%20b`]],
    [
      ["Origin", "http://127.0.0.1:8384"],
      ["Destination", "http://127.0.0.1:8384/dav/a%20b"],
      ...FORWARDED,
    ],
  ],
  ["a foreign origin", [["Origin", "https://evil.example"]], [["Origin", "https://evil.example"]]],
  [
    "an origin that begins like ours",
    [["Origin", CONTENT + ".evil.example"]],
    [["Origin", CONTENT + ".evil.example"]],
  ],
  ["no origin at all", [["Origin", "null"]], [["Origin", "null"]]],
  ["a referrer that is no address", [["Referer", "about:blank"]], [["Referer", "about:blank"]]],
  [
    "a foreign origin with our referrer",
    [["origin", "https://x.example"], ["referer", CONTENT]],
    [["origin", "https://x.example"], ["referer", "http://127.0.0.1:8384/"], ...FORWARDED],
  ],
  [
    "what the service worker says of itself",
    [["x-forwarded-proto", "https"], ["x-forwarded-host", "abc.content.example"]],
    FORWARDED,
  ],
  [
    "a page that speaks for a proxy",
    [["X-Forwarded-For", "127.0.0.1"], ["X_Forwarded_For", "127.0.0.1"], ["Forwarded", "for=1"]],
    [],
  ],
  ["a forged forwarded host", [["X-Forwarded-Proto", "https"], ["X-Forwarded-Host", "evil"]], []],
  [
    "hosts, lengths and encodings of the page's own",
    [["Host", "evil"], ["Content_Length", "7"]],
    [],
  ],
  [
    "cookies and repeated names in their order",
    [["Cookie", "a=1"], ["X", "1"], ["Cookie", "b=2"]],
    [["Cookie", "a=1"], ["X", "1"], ["Cookie", "b=2"]],
  ],
];

for (const [name, given, expected] of CASES) {
  Deno.test(`policy: ${name}`, () => {
    assert.deepEqual(sent(given), [["Host", "127.0.0.1:8384"], ...expected]);
  });
}

Deno.test("policy: Host leaves out the scheme's own port and is localhost on a unix socket", () => {
  assert.deepEqual(sent([], addressing("https://nas.local")), [["Host", "nas.local"]]);
  assert.deepEqual(sent([["Origin", CONTENT]], addressing("unix:/x"))[1], [
    "Origin",
    "http://localhost",
  ]);
  assert.deepEqual(sent([], addressing("unix:/x")), [["Host", "localhost"]]);
});

Deno.test("policy: a service may see the content origin as its own name", () => {
  const how = addressing("http://127.0.0.1:8384", "keep");
  assert.deepEqual(sent([["Origin", CONTENT]], how), [
    ["Host", "abc.content.example"],
    ["Origin", CONTENT],
    ...FORWARDED,
  ]);
  assert.deepEqual(sent([], how), [["Host", "127.0.0.1:8384"]]);
});

const LOCATIONS: readonly [given: string, expected: string][] = [
  ["/a", "/a"],
  ["a?b", "a?b"],
  ["http://127.0.0.1:8384/a?b#c", "/a?b#c"],
  ["HTTP://127.0.0.1:8384", "/"],
  ["http://127.0.0.1:8384?x", "/?x"],
  ["http://127.0.0.1:8384#x", "/#x"],
  ["//127.0.0.1:8384/a", "/a"],
  ["http://127.0.0.1:8384//evil.example/", "/.//evil.example/"],
  ["HTTP://127.0.0.1:8384/a%2F#b", "/a%2F#b"],
  ["http://127.0.0.1:8384/a\\b", "/a\\b"],
  ["http:/127.0.0.1:8384/a", "http:/127.0.0.1:8384/a"],
  ["http://127.0.0.1:83840/a", "http://127.0.0.1:83840/a"],
  ["http://127.0.0.1:8384.evil/a", "http://127.0.0.1:8384.evil/a"],
  ["http://127.0.0.1:8384@evil/a", "http://127.0.0.1:8384@evil/a"],
  ["https://127.0.0.1:8384/a", "https://127.0.0.1:8384/a"],
  ["https://else.example/", "https://else.example/"],
];

Deno.test("policy: redirects to the service itself become paths, others stay", () => {
  for (const [given, expected] of LOCATIONS) {
    const headers = browserHeaders([["Location", given]], addressing().target);
    assert.deepEqual(headers, [["Location", expected]], given);
    if (expected.startsWith("/")) assert.equal(new URL(expected, CONTENT).origin, CONTENT, given);
  }
});
