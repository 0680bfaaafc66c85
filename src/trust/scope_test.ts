import assert from "node:assert/strict";
import fc from "fast-check";
import { fromHex, toHex } from "../lib/bytes.ts";
import { OPERATIONS } from "../protocol/access.ts";
import { encodeScope, isWithin, readScope, type Scope } from "./scope.ts";
import { CborError, type CborValue, decodeCbor, encodeCbor } from "./strict_cbor.ts";

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

Deno.test("scope has exactly these bytes both ways", () => {
  const vectors: [string, Scope][] = [
    ["a3" + "00820118ff" + "018119ffff" + "0207", {
      services: [1, 255],
      cameras: [65535],
      operations: ["view", "talk", "operate"],
    }],
    ["a3" + "008101" + "0180" + "0201", { services: [1], cameras: [], operations: ["view"] }],
    ["a3" + "0080" + "018103" + "0206", {
      services: [],
      cameras: [3],
      operations: ["talk", "operate"],
    }],
  ];
  for (const [hex, scope] of vectors) {
    assert.equal(toHex(encodeCbor(encodeScope(scope))), hex);
    assert.deepEqual(readScope(decodeCbor(fromHex(hex), 64)), scope);
  }
});

Deno.test("scope takes 32 services and 32 cameras and refuses one more", () => {
  const full: Scope = { services: upTo(32), cameras: upTo(32), operations: ["view"] };
  assert.deepEqual(readScope(encodeScope(full)), full);
  assert.throws(() => encodeScope({ ...full, services: upTo(33) }), CborError);
  assert.throws(() => encodeScope({ ...full, cameras: upTo(33) }), CborError);
});

Deno.test("scope writes its operations in one order, whatever order they were given in", () => {
  const mixed: Scope = { services: [1], cameras: [], operations: ["operate", "view", "view"] };
  assert.deepEqual(readScope(encodeScope(mixed)).operations, ["view", "operate"]);
});

Deno.test("scope refuses each thing that it may not hold", () => {
  const good: [number, CborValue][] = [[0, [1, 2]], [1, [3]], [2, 1]];
  const change = (...changes: [number, CborValue][]) => new Map([...good, ...changes]);
  assert.ok(readScope(change()));
  const bad: Record<string, CborValue> = {
    "a list instead of a map": [[1], [2], 1],
    "nothing": new Map(),
    "a missing key": new Map(good.slice(0, 2)),
    "a further key": change([3, 1]),
    "no thing at all": change([0, []], [1, []]),
    "a number twice": change([0, [1, 1]]),
    "numbers that descend": change([0, [2, 1]]),
    "cameras that descend": change([1, [9, 8]]),
    "zero": change([0, [0, 1]]),
    "a number above 16 bits": change([0, [65536]]),
    "a negative number": change([1, [-1]]),
    "a text": change([0, ["1"]]),
    "a list in a list": change([0, [[1]]]),
    "a text instead of a list": change([0, "12"]),
    "no operation": change([2, 0]),
    "an unknown operation": change([2, 8]),
    "known and unknown operations": change([2, 9]),
    "operations as a list": change([2, [1]]),
  };
  for (const [name, value] of Object.entries(bad)) {
    assert.throws(() => readScope(value), CborError, name);
  }
  const foreign = ["view", "fly"] as unknown as Scope["operations"];
  assert.throws(() => encodeScope({ services: [1], cameras: [], operations: foreign }), CborError);
});

const scopes = fc.record({
  services: fc.subarray([1, 2, 3]),
  cameras: fc.subarray([1, 2, 3]),
  operations: fc.subarray([...OPERATIONS]),
}, { noNullPrototype: true });

Deno.test("scope is within another exactly if it has nothing that the other lacks", () => {
  const words = ({ services, cameras, operations }: Scope) =>
    new Set([...services.map((n) => `s${n}`), ...cameras.map((n) => `c${n}`), ...operations]);
  fc.assert(fc.property(scopes, scopes, (inner, outer) => {
    const lacking = [...words(inner)].filter((word) => !words(outer).has(word));
    assert.equal(isWithin(inner, outer), lacking.length === 0);
  }));
});

Deno.test("scope narrows transitively: what is within a part is within the whole", () => {
  fc.assert(
    fc.property(scopes, scopes, scopes, (a, b, c) => {
      assert.ok(isWithin(a, a));
      if (isWithin(a, b) && isWithin(b, c)) assert.ok(isWithin(a, c));
      if (isWithin(a, b) && isWithin(b, a)) assert.deepEqual(a, b);
    }),
    { numRuns: 2000 },
  );
});
