/// <reference lib="deno.ns" />
/** The decisions of RFC 9111, a table for each section. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Header } from "../../../src/protocol/http.ts";
import { type CacheRequest, type Plan, plan } from "./plan.ts";
import type { StoredResponse } from "./stored_response.ts";

const NOW = Date.UTC(2026, 10, 20, 12, 0, 0);
const SECOND = 1000;

function httpDate(at: number): string {
  return new Date(at).toUTCString();
}

function request(fields: Partial<CacheRequest> = {}): CacheRequest {
  const headers = fields.headers ?? [];
  return {
    ...{ method: "GET", path: "/a", mode: "default", isDocument: false, byScript: false },
    headers,
    sent: headers,
    ...fields,
  };
}

/** Stored `age` seconds ago. */
function stored(headers: readonly Header[], age = 10, more: Partial<StoredResponse> = {}) {
  const at = NOW - age * SECOND;
  return {
    ...{ id: "1", holder: "h", path: "/a", status: 200, headers, varying: [] },
    ...{ requestedAt: at, respondedAt: at, bodyBytes: 1, usedAt: at },
    ...more,
  } satisfies StoredResponse;
}

function decide(asked: CacheRequest, ...all: StoredResponse[]): Plan {
  return plan(asked, { stored: all, mayServe: true, now: NOW });
}

const cc = (value: string): Header => ["cache-control", value];
const ETAG: Header = ["etag", '"1"'];

interface Row {
  readonly what: string;
  readonly headers: readonly Header[];
  readonly age?: number;
  readonly asked?: Partial<CacheRequest>;
  readonly plan: Plan["type"];
}

function table(name: string, rows: readonly Row[]): void {
  Deno.test(`plan: ${name}`, () => {
    for (const { what, headers, age, asked, plan } of rows) {
      assert.equal(decide(request(asked), stored(headers, age)).type, plan, what);
    }
  });
}

const OLD: Header = ["last-modified", httpDate(NOW - 100 * 3600 * SECOND)]; // a tenth is 10 h

table("RFC 9111 4.2.1, freshness that was said", [
  { what: "max-age", headers: [cc("max-age=60")], plan: "serve" },
  { what: "max-age that is over", headers: [cc("max-age=60")], age: 60, plan: "fetch" },
  { what: "over, with a validator", headers: [cc("max-age=60"), ETAG], age: 60, plan: "validate" },
  { what: "quoted", headers: [cc('max-age="60"')], plan: "serve" },
  { what: "no number", headers: [cc("max-age=soon"), ETAG], plan: "validate" },
  { what: "two: the smaller", headers: [cc("max-age=60, max-age=0"), ETAG], plan: "validate" },
  { what: "in two lines", headers: [cc("max-age=0"), cc("max-age=60"), ETAG], plan: "validate" },
  { what: "beyond all numbers", headers: [cc(`max-age=${"9".repeat(60)}`)], plan: "serve" },
  { what: "s-maxage is not ours", headers: [cc("s-maxage=60"), ETAG], plan: "validate" },
  { what: "nor makes it shorter", headers: [cc("s-maxage=0, max-age=60")], plan: "serve" },
  {
    what: "Expires",
    headers: [["expires", httpDate(NOW + 60 * SECOND)], ["date", httpDate(NOW - 10 * SECOND)]],
    plan: "serve",
  },
  { what: "Expires: 0", headers: [["expires", "0"], OLD], plan: "validate" },
  {
    what: "max-age before Expires",
    headers: [cc("max-age=60"), ["expires", "0"]],
    plan: "serve",
  },
  {
    what: "Expires by the service's own clock, which is wrong",
    headers: [["expires", "Thu, 01 Jan 1970 01:00:00 GMT"], [
      "date",
      "Thu, 01 Jan 1970 00:00:00 GMT",
    ], ETAG],
    plan: "validate", // its age by our clock is 56 years: the careful side
  },
]);

table("RFC 9111 4.2.2, freshness that is guessed", [
  { what: "a tenth of the time since the change", headers: [OLD], age: 9 * 3600, plan: "serve" },
  { what: "and not longer", headers: [OLD], age: 10 * 3600, plan: "validate" },
  {
    what: "never beyond a day",
    headers: [["last-modified", "Mon, 01 Jan 2024 00:00:00 GMT"]],
    age: 24 * 3600,
    plan: "validate",
  },
  { what: "not without a date of change", headers: [ETAG], plan: "validate" },
  { what: "not for a page", headers: [OLD], asked: { isDocument: true }, plan: "validate" },
  {
    what: "not for the future",
    headers: [["last-modified", httpDate(NOW + 1e6)]],
    plan: "validate",
  },
]);

table("RFC 9111 4.2.3, age", [
  {
    what: "Age of a cache before us",
    headers: [cc("max-age=60"), ["age", "55"], ETAG],
    plan: "validate",
  },
  { what: "Age that leaves time", headers: [cc("max-age=60"), ["age", "49"]], plan: "serve" },
  {
    what: "Date long ago",
    headers: [cc("max-age=60"), ["date", httpDate(NOW - 3600 * SECOND)], ETAG],
    plan: "validate",
  },
  {
    what: "Date ahead of us",
    headers: [cc("max-age=60"), ["date", httpDate(NOW + 3600 * SECOND)]],
    plan: "serve",
  },
]);

Deno.test("plan: RFC 9111 4.2.3, the time an answer was under way counts as age", () => {
  const slow = { requestedAt: NOW - 70 * SECOND };
  assert.equal(decide(request(), stored([cc("max-age=60"), ETAG], 10, slow)).type, "validate");
});

table("RFC 9111 5.2.2, what the service says", [
  { what: "no-cache", headers: [cc("no-cache, max-age=60"), ETAG], plan: "validate" },
  {
    what: "no-cache with names",
    headers: [cc('max-age=60, no-cache="set-cookie"'), ETAG],
    plan: "validate",
  },
  {
    what: "must-revalidate while fresh",
    headers: [cc("must-revalidate, max-age=60")],
    plan: "serve",
  },
  { what: "private", headers: [cc("private, max-age=60")], plan: "serve" },
  { what: "Pragma of an old server", headers: [["pragma", "no-cache"], OLD], plan: "validate" },
  {
    what: "Cache-Control before Pragma",
    headers: [["pragma", "no-cache"], cc("max-age=60")],
    plan: "serve",
  },
  { what: "what nobody knows", headers: [cc('max-age=60, x-y="a, no-cache"')], plan: "serve" },
]);

table("RFC 9111 5.2.1 and 5.4, what the request says", [
  {
    what: "max-age",
    headers: [cc("max-age=60"), ETAG],
    asked: { headers: [cc("max-age=5")] },
    plan: "validate",
  },
  {
    what: "max-age that is met",
    headers: [cc("max-age=60")],
    asked: { headers: [cc("max-age=10")] },
    plan: "serve",
  },
  {
    what: "min-fresh",
    headers: [cc("max-age=60"), ETAG],
    asked: { headers: [cc("min-fresh=51")] },
    plan: "validate",
  },
  {
    what: "min-fresh that is met",
    headers: [cc("max-age=60")],
    asked: { headers: [cc("min-fresh=50")] },
    plan: "serve",
  },
  {
    what: "max-stale",
    headers: [cc("max-age=5")],
    asked: { headers: [cc("max-stale")] },
    plan: "serve",
  },
  {
    what: "max-stale with a limit",
    headers: [cc("max-age=5"), ETAG],
    asked: { headers: [cc("max-stale=5")] },
    plan: "validate",
  },
  {
    what: "max-stale against must-revalidate",
    headers: [cc("max-age=5, must-revalidate"), ETAG],
    asked: { headers: [cc("max-stale")] },
    plan: "validate",
  },
  {
    what: "no-cache",
    headers: [cc("max-age=60"), ETAG],
    asked: { headers: [cc("no-cache")] },
    plan: "validate",
  },
  {
    what: "no-store",
    headers: [cc("max-age=60")],
    asked: { headers: [cc("no-store")] },
    plan: "bypass",
  },
  {
    what: "only-if-cached",
    headers: [cc("max-age=5")],
    asked: { headers: [cc("only-if-cached")] },
    plan: "unsatisfiable",
  },
  {
    what: "Pragma",
    headers: [cc("max-age=60"), ETAG],
    asked: { headers: [["pragma", "no-cache"]] },
    plan: "validate",
  },
  {
    what: "Cache-Control before Pragma",
    headers: [cc("max-age=60")],
    asked: { headers: [["pragma", "no-cache"], cc("max-stale")] },
    plan: "serve",
  },
]);

const FRESH: readonly Header[] = [cc("max-age=60"), ETAG];
const STALE: readonly Header[] = [cc("max-age=5"), ETAG];

table("Fetch 4.6, Request.cache", [
  { what: "default", headers: FRESH, plan: "serve" },
  { what: "no-store", headers: FRESH, asked: { mode: "no-store" }, plan: "bypass" },
  { what: "reload", headers: FRESH, asked: { mode: "reload" }, plan: "fetch" },
  { what: "no-cache", headers: FRESH, asked: { mode: "no-cache" }, plan: "validate" },
  { what: "force-cache, stale", headers: STALE, asked: { mode: "force-cache" }, plan: "serve" },
  {
    what: "only-if-cached, stale",
    headers: STALE,
    asked: { mode: "only-if-cached" },
    plan: "serve",
  },
]);

Deno.test("plan: Fetch 4.6, with nothing stored", () => {
  const type = (mode: string) => decide(request({ mode })).type;
  assert.deepEqual(
    ["default", "reload", "no-cache", "force-cache"].map(type),
    Array(4).fill("fetch"),
  );
  assert.deepEqual(decide(request({ mode: "only-if-cached" })), {
    type: "unsatisfiable",
    why: "mode",
  });
});

const IMMUTABLE: readonly Header[] = [cc("max-age=60, immutable"), ETAG];
table("RFC 8246, immutable", [
  {
    what: "a reload of a page's file",
    headers: IMMUTABLE,
    asked: { mode: "no-cache" },
    plan: "serve",
  },
  {
    what: "once it is stale",
    headers: IMMUTABLE,
    age: 60,
    asked: { mode: "no-cache" },
    plan: "validate",
  },
  {
    what: "a script that says no-cache",
    headers: IMMUTABLE,
    asked: { mode: "no-cache", byScript: true },
    plan: "validate",
  },
  {
    what: "a reload past all caches",
    headers: IMMUTABLE,
    asked: { mode: "reload" },
    plan: "fetch",
  },
]);

table("methods, ranges and the page's own conditions", [
  { what: "HEAD of a fresh answer", headers: FRESH, asked: { method: "HEAD" }, plan: "serve" },
  { what: "HEAD of a stale one", headers: STALE, asked: { method: "HEAD" }, plan: "bypass" },
  { what: "POST", headers: FRESH, asked: { method: "POST" }, plan: "bypass" },
  { what: "QUERY", headers: FRESH, asked: { method: "QUERY" }, plan: "bypass" },
  ...["range", "if-range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since"]
    .map((name): Row => ({
      what: name,
      headers: FRESH,
      asked: { headers: [[name, "x"]] },
      plan: "bypass",
    })),
]);

Deno.test("plan: RFC 9111 4.1, Vary", () => {
  const sent = (value: string) => request({ sent: [["accept", value]] });
  const a = stored([...FRESH, ["last-modified", "x"]], 10, { id: "a", varying: [["accept", "a"]] });
  const b = stored(FRESH, 20, { id: "b", varying: [["accept", "b"]] });
  const served = (asked: CacheRequest) => {
    const found = decide(asked, a, b);
    return found.type === "serve" ? found.stored.id : found.type;
  };
  assert.equal(served(sent("a")), "a");
  assert.equal(served(sent("b")), "b");
  const other = decide(sent("c"), a, b);
  assert.deepEqual(
    other.type === "validate" && [other.stored.id, other.headers],
    ["a", [["if-none-match", '"1"']]],
    "another variant is asked about by its ETag alone",
  );
  for (const name of ["*", "cookie", "authorization"]) {
    const unseen = stored(FRESH, 10, { varying: [[name, null]] });
    assert.equal(decide(request(), unseen).type, "validate", name);
  }
});

Deno.test("plan: RFC 9111 4.3.1, preconditions of the answer that fits", () => {
  const both = decide(request({ mode: "no-cache" }), stored([["etag", 'W/"x"'], OLD]));
  assert.deepEqual(both.type === "validate" && both.headers, [
    ["if-none-match", 'W/"x"'],
    ["if-modified-since", OLD[1]],
  ]);
});

Deno.test("plan: nothing is served to a session whose holder is not known", () => {
  const unknown = (mode: string, headers = FRESH) =>
    plan(request({ mode }), { stored: [stored(headers)], mayServe: false, now: NOW }).type;
  assert.equal(unknown("default"), "validate");
  assert.equal(unknown("force-cache"), "validate");
  assert.equal(unknown("only-if-cached"), "unsatisfiable");
  assert.equal(unknown("default", [cc("max-age=60")]), "fetch");
});

Deno.test("plan: a served answer tells its age", () => {
  const found = decide(request(), stored([cc("max-age=60"), ["age", "7"]]));
  assert.equal(found.type === "serve" && found.age, 17);
});

const NAMES = [
  "cache-control",
  "expires",
  "date",
  "age",
  "pragma",
  "etag",
  "last-modified",
  "vary",
];
const WORDS = [
  "no-cache",
  "no-store",
  "max-age=5",
  "max-age=1e9",
  "immutable",
  'x="',
  ",",
  "=",
  "0",
  "-1",
  "Thu, 01 Jan 1970 00:00:00 GMT",
  '"e"',
  "*",
  "max-stale",
  "min-fresh=9",
  "only-if-cached",
];
const LINES: fc.Arbitrary<Header[]> = fc.array(
  fc.tuple(
    fc.constantFrom(...NAMES),
    fc.oneof(fc.string(), fc.array(fc.constantFrom(...WORDS)).map((all) => all.join(", "))),
  ),
  { maxLength: 8 },
);
const MODES = ["default", "no-store", "reload", "no-cache", "force-cache", "only-if-cached"];

Deno.test("plan: whatever comes, no-cache is never served by default, and unknown holders get nothing", () => {
  fc.assert(
    fc.property(LINES, LINES, fc.constantFrom(...MODES), fc.nat(1e9), (told, wanted, mode, age) => {
      const one = stored(told, age);
      const asked = request({ mode, headers: wanted });
      const found = plan(asked, { stored: [one], mayServe: true, now: NOW });
      const hidden = plan(asked, { stored: [one], mayServe: false, now: NOW });
      assert.notEqual(hidden.type, "serve");
      if (found.type !== "serve") return;
      assert.ok(found.age >= 0 && Number.isSafeInteger(found.age));
      const words = told.filter(([name]) => name === "cache-control").map(([, value]) => value)
        .join();
      const saysNoCache = /(^|[ ,])no-cache($|[ ,])/.test(words) && !words.includes('"');
      assert.ok(!saysNoCache || mode === "force-cache" || mode === "only-if-cached");
      assert.ok(mode !== "reload" && mode !== "no-store");
    }),
    { numRuns: 2000 },
  );
});
