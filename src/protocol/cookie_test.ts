import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import {
  type CookieContext,
  defaultPath,
  MAX_LIFE_MS,
  parseSetCookie,
  pathMatches,
} from "./cookie.ts";
import { parseCookieDate } from "./cookie_date.ts";

const NOON = Date.UTC(2026, 0, 1, 12);
const SERVICE: CookieContext = { path: "/a/b?q=/x", date: NOON, source: "service" };
const SCRIPT: CookieContext = { ...SERVICE, source: "script" };

function parsed(line: string, context = SERVICE) {
  const cookie = parseSetCookie(line, context);
  return cookie && [cookie.name, cookie.value, cookie.path, cookie.life];
}

Deno.test("a line is read as browsers read it (RFC 6265bis 5.6)", () => {
  const cases: readonly (readonly [string, ReturnType<typeof parsed>])[] = [
    ["a=1", ["a", "1", "/a", undefined]],
    ["  a \t= 1 2 ; x", ["a", "1 2", "/a", undefined]],
    ["a=b=c", ["a", "b=c", "/a", undefined]],
    ['a="q;', ["a", '"q', "/a", undefined]],
    ["a=", ["a", "", "/a", undefined]],
    ["=v", ["", "v", "/a", undefined]],
    ["v", ["", "v", "/a", undefined]],
    ["", undefined],
    ["=", undefined],
    ["; Path=/", undefined],
    ["a=1; Path=/x", ["a", "1", "/x", undefined]],
    ["a=1; Path=x", ["a", "1", "/a", undefined]],
    ["a=1; Path=/x; path=", ["a", "1", "/a", undefined]],
    ["a=1; Max-Age=5", ["a", "1", "/a", 5000]],
    ["a=1; Max-Age=0", ["a", "1", "/a", 0]],
    ["a=1; max-age=-1", ["a", "1", "/a", -1000]],
    ["a=1; Max-Age=5s", ["a", "1", "/a", undefined]],
    ["a=1; Max-Age=99999999999999999999", ["a", "1", "/a", MAX_LIFE_MS]],
    ["a=1; Expires=Thu, 01 Jan 2026 12:00:07 GMT", ["a", "1", "/a", 7000]],
    ["a=1; Max-Age=5; Expires=Thu, 01 Jan 1970 00:00:00 GMT", ["a", "1", "/a", 5000]],
    ["a=1; Expires=soon", ["a", "1", "/a", undefined]],
    ["a=1; Domain=elsewhere.example", ["a", "1", "/a", undefined]],
    ["a=1\r\nx: y", undefined],
    ["a=1\0", undefined],
    [`${"n".repeat(96)}=${"v".repeat(4000)}`, ["n".repeat(96), "v".repeat(4000), "/a", undefined]],
    [`${"n".repeat(97)}=${"v".repeat(4000)}`, undefined],
    [`a=1; Path=/${"x".repeat(1024)}`, ["a", "1", "/a", undefined]],
  ];
  for (const [line, wanted] of cases) deepEqual(parsed(line), wanted, line);
});

Deno.test("a Domain that does not fit the service's own names refuses the cookie (RFC 6265bis 5.7, step 10)", () => {
  const hosts = ["192.168.1.5", "Gate.Example.org"];
  const taken = (domain: string) =>
    parseSetCookie(`a=1; Domain=${domain}`, { ...SERVICE, hosts }) !== undefined;
  const own = ["192.168.1.5", "gate.example.org", ".gate.example.org", "EXAMPLE.org", "org", ""];
  const foreign = [
    ...["example.com", "x.gate.example.org", "ate.example.org", "168.1.5", "5", "..example.org"],
    "example.org.",
  ];
  for (const domain of own) ok(taken(domain), domain);
  for (const domain of foreign) ok(!taken(domain), domain);
  ok(
    !parseSetCookie("a=1; Domain=example.org; Domain=x", { ...SERVICE, hosts }),
    "the last counts",
  );
  ok(parseSetCookie("a=1; Domain=x", SERVICE), "who judged it says so by naming no hosts");
});

Deno.test("prefixes are kept, whatever the device speaks on its LAN (RFC 6265bis 4.1.3)", () => {
  const good = [
    "__Secure-a=1; Secure",
    "__Host-a=1; Secure; Path=/",
    "__host-a=1; Secure; Path=/; Domain=",
  ];
  const bad = [
    "__Secure-a=1",
    "__Host-a=1; Secure",
    "__Host-a=1; Path=/",
    "__HOST-a=1; Secure; Path=/; Domain=x.example",
    "=__Host-a=1; Secure; Path=/",
    "__Secure-a; Secure",
  ];
  for (const line of good) ok(parseSetCookie(line, SERVICE), line);
  for (const line of bad) equal(parseSetCookie(line, SERVICE), undefined, line);
});

Deno.test("a script sets no cookie that it could not see", () => {
  equal(parseSetCookie("a=1; HttpOnly", SCRIPT), undefined);
  equal(parseSetCookie("a=1; httponly", SERVICE)?.httpOnly, true);
});

Deno.test("without a clock an ancient date deletes, and any other is far away", () => {
  const context = { ...SERVICE, date: undefined };
  equal(parseSetCookie("a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", context)?.life, 0);
  const later = parseSetCookie("a=1; Expires=Thu, 01 Jan 2026 00:00:00 GMT", context);
  equal(later?.life, MAX_LIFE_MS);
});

Deno.test("dates are read in every server's spelling (RFC 6265 5.1.1)", () => {
  const wanted = Date.UTC(1994, 10, 6, 8, 49, 37);
  const spellings = [
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "Sunday, 06-Nov-94 08:49:37 GMT",
    "Sun Nov  6 08:49:37 1994",
    "06 november 1994 8:49:37",
    "1994 6 NOV 08:49:37",
  ];
  for (const text of spellings) equal(parseCookieDate(text), wanted, text);
  equal(parseCookieDate("1 Jan 69 00:00:00"), Date.UTC(2069, 0, 1));
  const none = ["", "Nov 1994", "32 Jan 2026 0:0:0", "29 Feb 2025 0:0:0", "1 Jan 1600 0:0:0"];
  for (const text of [...none, "1 Jan 2026 24:0:0", "x".repeat(10_000)]) {
    equal(parseCookieDate(text), undefined, text);
  }
  equal(parseCookieDate("29 Feb 2024 0:0:0"), Date.UTC(2024, 1, 29));
});

Deno.test("a path matches whole folders only (RFC 6265 5.1.4)", () => {
  equal(defaultPath("/"), "/");
  equal(defaultPath("/a"), "/");
  equal(defaultPath("/a/"), "/a");
  equal(defaultPath("/a/b?x=/c/d"), "/a");
  const yes = [["/", "/x"], ["/a", "/a"], ["/a", "/a/b"], ["/a/", "/a/b"], ["/a", "/a?x"]];
  const no = [["/a", "/ab"], ["/a/", "/a"], ["/a/b", "/a"], ["/A", "/a"]];
  for (const [cookie, path] of yes) ok(pathMatches(cookie!, path!), `${cookie} ${path}`);
  for (const [cookie, path] of no) ok(!pathMatches(cookie!, path!), `${cookie} ${path}`);
});

Deno.test("a line cut anywhere is a cookie or none, and never throws", () => {
  const line = "__Secure-a=b c; Expires=Sun, 06 Nov 2094 08:49:37 GMT; Secure; Path=/x; Max-Age=7";
  for (let end = 0; end <= line.length; end++) parseSetCookie(line.slice(0, end), SERVICE);
});

Deno.test("whatever a line holds, no cookie holds a separator or a control character", () => {
  const piece = fc.constantFrom(
    "a",
    "=",
    ";",
    " ",
    "\t",
    "\r",
    "\n",
    "\0",
    "é",
    "Path",
    "/",
    "__Host-",
  );
  fc.assert(fc.property(fc.array(piece, { maxLength: 40 }), fc.boolean(), (pieces, isScript) => {
    const cookie = parseSetCookie(pieces.join(""), isScript ? SCRIPT : SERVICE);
    if (cookie === undefined) return;
    // deno-lint-ignore no-control-regex -- the point is that there is none
    const separators = /[\x00-\x08\x0a-\x1f\x7f;]/;
    ok(!separators.test(cookie.name + cookie.value + cookie.path));
    ok(cookie.path.startsWith("/") && !cookie.name.includes("="));
  }));
});
