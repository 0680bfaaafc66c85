import assert from "node:assert/strict";
import fc from "fast-check";
import { authorityOf, originOf, parseTarget, type Target } from "./target.ts";

const GOOD: readonly [text: string, target: Target, origin: string][] = [
  ["http://127.0.0.1:80", { type: "http", hostname: "127.0.0.1", port: 80 }, "http://127.0.0.1"],
  ["http://127.0.0.1/", { type: "http", hostname: "127.0.0.1", port: 80 }, "http://127.0.0.1"],
  [
    "https://192.168.1.5",
    { type: "https", hostname: "192.168.1.5", port: 443 },
    "https://192.168.1.5",
  ],
  [
    "https://Nas.local:80",
    { type: "https", hostname: "nas.local", port: 80 },
    "https://nas.local:80",
  ],
  [
    "http://node_red:1880",
    { type: "http", hostname: "node_red", port: 1880 },
    "http://node_red:1880",
  ],
  ["http://[::1]:8080/", { type: "http", hostname: "::1", port: 8080 }, "http://[::1]:8080"],
  ["unix:/run/x.sock", { type: "unix", path: "/run/x.sock" }, "http://localhost"],
];

const BAD: readonly [text: string, reason: RegExp][] = [
  ["", /must begin with/],
  ["127.0.0.1:80", /must begin with/],
  ["HTTP://a", /must begin with/],
  ["ftp://a", /must begin with/],
  [" http://a", /must begin with/],
  ["tcp://127.0.0.1:22", /not supported yet/],
  ["http://", /host name/],
  ["http:///", /path is not supported|host name/],
  ["http://a/b", /path is not supported/],
  ["http://a//", /path is not supported/],
  ["http://a?b", /path is not supported/],
  ["http://a#b", /path is not supported/],
  ["http://a\\b", /path is not supported/],
  ["http://a:0", /port/],
  ["http://a:65536", /port/],
  ["http://a:", /write it like/],
  ["http://a:80:80", /write it like/],
  ["http://a:+80", /write it like/],
  ["http://a b", /host name/],
  ["http://a\n", /host name/],
  ["http://ä.example", /host name/],
  ["http://-", /host name/],
  ["http://a..b", /host name/],
  ["http://127.1", /four decimal numbers/],
  ["http://0177.0.0.1", /four decimal numbers/],
  ["http://2130706433", /four decimal numbers/],
  ["http://0x7f.1", /four decimal numbers/],
  ["http://127.0.0.0x1", /four decimal numbers/],
  ["http://[::1", /write it like/],
  ["http://[127.0.0.1]", /IPv6/],
  ["http://[fe80::1%eth0]", /IPv6/],
  ["unix:run/x", /absolute path/],
  ["unix:///run/x", /absolute path/],
  ["unix:/run/\0x", /control/],
  ["unix:/" + "x".repeat(107), /longer than 107/],
];

Deno.test("target reads what the manual shows, with authority and origin", () => {
  for (const [text, target, origin] of GOOD) {
    assert.deepEqual(parseTarget(text), target, text);
    assert.equal(originOf(parseTarget(text)), origin);
    assert.equal(`${target.type === "https" ? "https" : "http"}://${authorityOf(target)}`, origin);
  }
});

Deno.test("target refuses everything else with a remedy", () => {
  for (const [text, reason] of BAD) {
    assert.throws(() => parseTarget(text), (error) => {
      assert.ok(error instanceof SyntaxError, text);
      assert.match(error.message, reason, text);
      return true;
    }, text);
  }
});

Deno.test("target never repeats a password", () => {
  assert.throws(() => parseTarget("http://admin:hunter2@a/"), (error: Error) => {
    return /user name/.test(error.message) && !/hunter2/.test(error.message);
  });
});

Deno.test("target either refuses a text or names a host that a URL parser reads alike", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.webUrl(),
        fc.string().map((text) => `http://${text}`),
        fc.domain().map((d) => `https://${d}:8080`),
      ),
      (text) => {
        let target: Target;
        try {
          target = parseTarget(text);
        } catch (error) {
          assert.ok(error instanceof SyntaxError);
          return;
        }
        assert.equal(new URL(originOf(target)).origin, originOf(target));
        assert.equal(new URL(text).origin, originOf(target));
      },
    ),
    { numRuns: 2000 },
  );
});
