/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import fc from "fast-check";
import { BORROW_FRAGMENT } from "../../src/trust/invite_link.ts";
import { PAIR_FRAGMENT } from "../../src/trust/pair_link.ts";
import { formatRoute, isSecret, MAX_HASH_LENGTH, parseRoute, type Route } from "./route.ts";

const ID = "abcdefghijklmnopqrstuvwxyz";

const TABLE: readonly (readonly [string, Route])[] = [
  ["", { view: "devices" }],
  ["#", { view: "devices" }],
  ["#/", { view: "devices" }],
  ["#pair=AbC_-1", { view: "pair", link: "AbC_-1" }],
  ["#pair=", { view: "pair", link: "" }],
  ["#borrow=AbC_-1", { view: "borrow", link: "AbC_-1" }],
  [`#/d/${ID}`, { view: "device", device: ID }],
  [`#/d/${ID}/people`, { view: "people", device: ID }],
  [`#/d/${ID}/lend/`, { view: "lend", device: ID }],
  [`#/d/${ID}/`, { view: "device", device: ID }],
  [`#/d/${ID}/s/ui`, { view: "service", device: ID, service: "ui", path: "/" }],
  [`#/d/${ID}/s/ui/`, { view: "service", device: ID, service: "ui", path: "/" }],
  [`#/d/${ID}/s/ui?x=1`, { view: "service", device: ID, service: "ui", path: "/?x=1" }],
  [
    `#/d/${ID}/s/node-red/a%20b//c?q=/d/x&r=#/flow/1#x`,
    { view: "service", device: ID, service: "node-red", path: "/a%20b//c?q=/d/x&r=#/flow/1#x" },
  ],
  [`#/d/${ID}/s/ui#top`, { view: "service", device: ID, service: "ui", path: "/#top" }],
];

const UNKNOWN = [
  "#x",
  "#/d/",
  "#/d/short",
  `#/d/${ID.toUpperCase()}`,
  `#/d/${ID}0`,
  `#/d/${ID}/x`,
  `#/d/${ID}/people/x`,
  `#/d/${ID}/lending`,
  `#/d/${ID}/s/`,
  `#/d/${ID}/s//x`,
  `#/d/${ID}/s/a%2fb/`,
  `#/d/${ID}/s/UI/`,
  `#/d/${ID}/s/-a/`,
  `#/d/${ID}/s/${"a".repeat(33)}/`,
  `#/d/${ID}/s/ui/${"a".repeat(MAX_HASH_LENGTH)}`,
];

for (const [hash, route] of TABLE) {
  Deno.test(`parseRoute() reads "${hash}"`, () => assert.deepEqual(parseRoute(hash), route));
}

Deno.test("parseRoute() calls everything else unknown", () => {
  for (const hash of UNKNOWN) assert.deepEqual(parseRoute(hash), { view: "unknown" }, hash);
});

Deno.test("formatRoute() writes what parseRoute() reads, the device's URL verbatim", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), (tail) => {
    const route: Route = { view: "service", device: ID, service: "ui", path: `/${tail}` };
    assert.deepEqual(parseRoute(formatRoute(route)), route);
  }));
  assert.deepEqual(parseRoute(formatRoute({ view: "device", device: ID })), {
    view: "device",
    device: ID,
  });
});

Deno.test("formatRoute() writes an owner's pages", () => {
  for (const view of ["people", "lend"] as const) {
    assert.deepEqual(parseRoute(formatRoute({ view, device: ID })), { view, device: ID });
  }
});

Deno.test("formatRoute() never writes a link with a secret back", () => {
  assert.equal(formatRoute({ view: "pair", link: "secret" }), "#/");
  assert.equal(formatRoute({ view: "borrow", link: "secret" }), "#/");
});

Deno.test("isSecret() knows the addresses that must not stay in the history", () => {
  assert.ok(isSecret("#pair=x") && isSecret("#borrow=x"));
  assert.ok(!isSecret("#/") && !isSecret(`#/d/${ID}`) && !isSecret(""));
});

Deno.test("isSecret() agrees with the fragments that devices write", () => {
  assert.ok(isSecret(`#${PAIR_FRAGMENT}`) && isSecret(`#${BORROW_FRAGMENT}`));
});
