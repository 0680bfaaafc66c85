/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import fc from "fast-check";
import { type CacheLimits, Entries } from "./entries.ts";
import { costOf, type StoredResponse } from "./stored_response.ts";

const LIMITS: CacheLimits = { total: 10_000, body: 5_000, entries: 5, variants: 2 };

function entry(id: string, path: string, more: Partial<StoredResponse> = {}): StoredResponse {
  return {
    ...{ id, holder: "h", path, status: 200, headers: [], varying: [] },
    ...{ requestedAt: 0, respondedAt: 0, bodyBytes: 100, usedAt: 0 },
    ...more,
  };
}

Deno.test("Entries lets the longest unused go", () => {
  const entries = new Entries(LIMITS);
  for (const id of ["1", "2", "3", "4", "5"]) {
    assert.deepEqual(entries.put(entry(id, `/${id}`)), []);
  }
  entries.touch(entry("1", "/1"));
  assert.deepEqual(entries.put(entry("6", "/6")), ["2"]);
  assert.deepEqual(entries.put(entry("7", "/7", { bodyBytes: 8_000 })), ["3", "4", "5"]);
  assert.deepEqual(entries.at("/3"), []);
  assert.equal(entries.at("/6").length, 1);
});

Deno.test("Entries keeps one answer for each variant, and not many of them", () => {
  const entries = new Entries(LIMITS);
  const variant = (id: string, value: string) => entry(id, "/", { varying: [["accept", value]] });
  entries.put(variant("1", "a"));
  assert.deepEqual(entries.put(variant("2", "a")), ["1"]);
  assert.deepEqual(entries.put(variant("3", "b")), []);
  assert.deepEqual(entries.put(variant("4", "c")), ["2"]);
});

Deno.test("Entries stays within its bounds whatever happens, and counts right", () => {
  const step = fc.record({
    id: fc.constantFrom(..."abcdefgh"),
    path: fc.constantFrom("/1", "/2", "/3"),
    value: fc.constantFrom("x", "y", "z"),
    bytes: fc.nat(6_000),
    what: fc.constantFrom("put", "remove", "touch"),
  });
  fc.assert(fc.property(fc.array(step), (steps) => {
    const entries = new Entries(LIMITS);
    const there = new Map<string, StoredResponse>();
    for (const { id, path, value, bytes, what } of steps) {
      const one = entry(id, path, { bodyBytes: bytes, varying: [["v", value]] });
      if (what === "remove") entries.remove([id]);
      if (what === "touch") entries.touch(there.get(id) ?? one);
      if (what === "remove") there.delete(id);
      if (what !== "put") continue;
      there.set(id, one);
      for (const gone of entries.put(one)) there.delete(gone);
      assert.equal(entries.size, there.size);
      assert.ok(entries.size <= LIMITS.entries && entries.cost <= LIMITS.total);
      assert.equal(entries.cost, [...there.values()].reduce((sum, one) => sum + costOf(one), 0));
      for (const path of ["/1", "/2", "/3"]) assert.ok(entries.at(path).length <= LIMITS.variants);
    }
  }));
});
