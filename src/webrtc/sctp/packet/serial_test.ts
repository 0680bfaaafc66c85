import assert from "node:assert/strict";
import fc from "fast-check";
import { nextSsn, ssnDistance, tsnDistance, tsnPlus } from "./serial.ts";

const tsn = fc.integer({ min: 0, max: 0xffffffff });

Deno.test("serial numbers go on over the wrap", () => {
  assert.equal(tsnPlus(0xffffffff, 1), 0);
  assert.equal(tsnPlus(0, -1), 0xffffffff);
  assert.equal(tsnDistance(2, 0xfffffffe), 4);
  assert.equal(tsnDistance(0xfffffffe, 2), -4);
  assert.equal(nextSsn(0xffff), 0);
  assert.equal(ssnDistance(1, 0xffff), 2);
  assert.equal(ssnDistance(0xffff, 1), -2);
});

Deno.test("a distance is what was added, anywhere (RFC 1982)", () => {
  fc.assert(fc.property(tsn, fc.integer({ min: -0x7fffffff, max: 0x7fffffff }), (from, count) => {
    const to = tsnPlus(from, count);
    assert(to >= 0 && to <= 0xffffffff);
    assert.equal(tsnDistance(to, from), count);
  }));
});

Deno.test("stream numbers order as RFC 1982 says, below half the space", () => {
  const ssn = fc.integer({ min: 0, max: 0xffff });
  fc.assert(fc.property(ssn, fc.integer({ min: -0x7fff, max: 0x7fff }), (from, count) => {
    assert.equal(ssnDistance((from + count) & 0xffff, from), count);
  }));
});
