import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { type CookieSource, MAX_LIFE_MS, parseSetCookie } from "./cookie.ts";
import { CookieJar, MAX_COOKIES, MAX_JAR_CHARACTERS } from "./cookie_jar.ts";

function set(
  jar: CookieJar,
  line: string,
  { now = 0, path = "/", source = "service" as CookieSource } = {},
): void {
  const cookie = parseSetCookie(line, { path, date: 0, source });
  if (cookie) jar.set(now, cookie, source);
}

function names(jar: CookieJar): string[] {
  return jar.allVisible(0).map(({ name }) => name);
}

Deno.test("the header has the longest path first, then the oldest cookie", () => {
  const jar = new CookieJar();
  for (
    const line of ["a=1; Path=/", "b=2; Path=/x/y", "c=3; Path=/", "d=4; Path=/x", "e=5; Path=/z"]
  ) {
    set(jar, line);
  }
  equal(jar.header(0, "/x/y/z?q"), "b=2; d=4; a=1; c=3");
  set(jar, "a=9; Path=/");
  equal(jar.header(0, "/"), "a=9; c=3", "a cookie that is set again keeps its place");
  equal(new CookieJar().header(0, "/"), undefined);
});

Deno.test("the same name at two paths is two cookies", () => {
  const jar = new CookieJar();
  set(jar, "a=1; Path=/");
  set(jar, "a=2; Path=/x");
  equal(jar.header(0, "/x"), "a=2; a=1");
  set(jar, "a=; Max-Age=0; Path=/x");
  equal(jar.header(0, "/x"), "a=1");
});

Deno.test("a cookie ends with its life, to the millisecond, and a deletion ends it at once", () => {
  const jar = new CookieJar();
  set(jar, "a=1; Max-Age=1");
  equal(jar.header(999, "/"), "a=1");
  equal(jar.header(1000, "/"), undefined);
  set(jar, "b=1");
  equal(jar.header(2 * MAX_LIFE_MS, "/"), "b=1", "without an end it lasts");
  set(jar, "b=1; Max-Age=0");
  equal(jar.size, 0);
});

Deno.test("a script neither sees nor replaces nor deletes what is HttpOnly", () => {
  const jar = new CookieJar();
  set(jar, "session=1; HttpOnly");
  equal(jar.revision, 1, "scripts learn of its name");
  deepEqual(jar.allHidden(0), [{ name: "session", path: "/", life: undefined }]);
  set(jar, "session=1; HttpOnly; Max-Age=60");
  equal(jar.revision, 1, "and of nothing else");
  set(jar, "session=2", { source: "script" });
  set(jar, "session=; Max-Age=0", { source: "script" });
  equal(jar.header(0, "/"), "session=1");
  deepEqual(jar.visible(0, "/"), []);
  set(jar, "session=3");
  equal(jar.revision, 2, "the service may uncover it");
  deepEqual(jar.allHidden(0), []);
  deepEqual(names(jar), ["session"]);
});

Deno.test("the revision changes with what scripts can see, and with nothing else", () => {
  const jar = new CookieJar();
  const changes = (line: string, source: CookieSource = "service") => {
    const before = jar.revision;
    set(jar, line, { source });
    return jar.revision !== before;
  };
  equal(changes("a=1"), true);
  equal(changes("b=1; HttpOnly"), true, "a name that they cannot set");
  equal(changes("b=2; HttpOnly"), false);
  equal(changes("b=; Max-Age=0"), true);
  equal(changes("nothing=; Max-Age=0"), false);
  equal(changes("a=2", "script"), true);
  equal(changes("a=2; HttpOnly"), true, "it is hidden from now on");
  equal(changes("a=; Max-Age=0"), true);
});

Deno.test("a session's end takes what has no end of its own", () => {
  const jar = new CookieJar();
  set(jar, "a=1");
  set(jar, "b=1; Max-Age=100");
  jar.endSession();
  equal(jar.header(0, "/"), "b=1");
  jar.clear();
  equal(jar.header(0, "/"), undefined);
});

Deno.test("a copy made of what scripts see shows the same", () => {
  const jar = new CookieJar();
  for (const line of ["a=1; Max-Age=9", "b=2; Path=/x", "c=3; HttpOnly", "d=4; Secure"]) {
    set(jar, line);
  }
  const copy = new CookieJar();
  copy.load(50, jar.allVisible(0), jar.allHidden(0));
  set(copy, "c=stolen", { now: 50, source: "script" });
  deepEqual(copy.visible(50, "/x"), jar.visible(0, "/x"));
  const later = copy.visible(9050, "/").map(({ name }) => name);
  deepEqual(later, ["d"], "lives go on by the copy's own clock");
});

Deno.test("a flood keeps a jar below its limits, and what was used last stays", () => {
  const jar = new CookieJar();
  set(jar, "keep=me; HttpOnly");
  for (let count = 0; count < 5 * MAX_COOKIES; count++) {
    set(jar, `n${count}=${"v".repeat(count % 50)}; Path=/elsewhere`);
    equal(jar.header(0, "/"), "keep=me");
    ok(jar.size <= MAX_COOKIES);
  }
  for (let count = 0; count < 50; count++) set(jar, `big${count}=${"v".repeat(4000)}`);
  const header = jar.header(0, "/") ?? "";
  ok(header.length <= MAX_JAR_CHARACTERS + 2 * MAX_COOKIES, `${header.length}`);
  ok(header.includes("big49="));
});

Deno.test("whatever is set, limits hold and headers have no line of their own", () => {
  const line = fc.record({
    name: fc.constantFrom("a", "b", "", "__Host-x", "c\r\nx: y"),
    value: fc.string({ maxLength: 3000 }),
    rest: fc.constantFrom(
      "",
      "; Path=/",
      "; HttpOnly",
      "; Max-Age=0",
      "; Max-Age=1; Path=/a",
      "; Secure; Path=/",
    ),
    source: fc.constantFrom<CookieSource>("service", "script"),
  });
  fc.assert(fc.property(fc.array(line, { maxLength: 60 }), (lines) => {
    const jar = new CookieJar();
    for (const [now, { name, value, rest, source }] of lines.entries()) {
      set(jar, `${name}=${value}${rest}`, { now, source });
      const header = jar.header(now, "/a") ?? "";
      // deno-lint-ignore no-control-regex -- the point is that there is none
      ok(!/[\x00-\x08\x0a-\x1f\x7f]/.test(header));
      ok(header.length <= MAX_JAR_CHARACTERS + 3 * MAX_COOKIES);
    }
  }));
});
