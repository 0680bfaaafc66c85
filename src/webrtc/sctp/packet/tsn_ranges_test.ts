import assert from "node:assert/strict";
import fc from "fast-check";
import { tsnDistance, tsnPlus } from "./serial.ts";
import { MAX_RANGES, TsnRanges } from "./tsn_ranges.ts";

const START = 0xffffffe0; // so that most runs pass the wrap

/** The ranges of a set of offsets, made slowly. */
function rangesOf(offsets: ReadonlySet<number>): { first: number; last: number }[] {
  const found: { first: number; last: number }[] = [];
  for (const offset of [...offsets].sort((a, b) => a - b)) {
    const tsn = tsnPlus(START, offset);
    const last = found.at(-1);
    if (last !== undefined && tsnPlus(last.last, 1) === tsn) last.last = tsn;
    else found.push({ first: tsn, last: tsn });
  }
  return found;
}

const offset = fc.integer({ min: 1, max: 80 });

Deno.test("ranges are those of the set, whatever the order, over the wrap", () => {
  fc.assert(fc.property(fc.uniqueArray(offset), (offsets) => {
    const ranges = new TsnRanges();
    for (const one of offsets) {
      assert(!ranges.has(tsnPlus(START, one)));
      assert(ranges.add(tsnPlus(START, one)));
      assert(ranges.has(tsnPlus(START, one)));
    }
    assert.deepEqual(ranges.list, rangesOf(new Set(offsets)));
  }));
});

Deno.test("covering visits each number once that was not covered, ascending", () => {
  const blocks = fc.array(fc.tuple(offset, fc.nat(20)));
  fc.assert(fc.property(blocks, (blocks) => {
    const ranges = new TsnRanges();
    const covered = new Set<number>();
    for (const [first, length] of blocks) {
      const visited: number[] = [];
      ranges.cover(
        tsnPlus(START, first),
        tsnPlus(START, first + length),
        (tsn) => visited.push(tsnDistance(tsn, START)),
      );
      const expected = [];
      for (let i = first; i <= first + length; i++) if (!covered.has(i)) expected.push(i);
      assert.deepEqual(visited, expected);
      for (const one of expected) covered.add(one);
      assert.deepEqual(ranges.list, rangesOf(covered));
    }
  }));
});

Deno.test("advancing swallows the range that follows and keeps the rest", () => {
  fc.assert(fc.property(fc.uniqueArray(offset), offset, (offsets, to) => {
    const ranges = new TsnRanges();
    for (const one of offsets) ranges.add(tsnPlus(START, one));
    const set = new Set(offsets);
    let end = to;
    while (set.has(end + 1)) end++;
    // A range that reaches from before `to` to beyond it goes whole.
    assert.equal(ranges.advance(tsnPlus(START, to)), tsnPlus(START, end));
    const rest = new Set(offsets.filter((one) => one > end));
    assert.deepEqual(ranges.list, rangesOf(rest));
  }));
});

Deno.test("there are never more ranges than the limit", () => {
  const ranges = new TsnRanges();
  for (let i = 0; i < MAX_RANGES; i++) assert(ranges.add(2 * i + 2));
  assert(!ranges.add(2 * MAX_RANGES + 2));
  assert(ranges.add(3), "what joins two needs no room");
  const visited: number[] = [];
  ranges.cover(4000, 4001, () => {});
  ranges.cover(4010, 4011, (tsn) => visited.push(tsn));
  assert.equal(ranges.list.length, MAX_RANGES);
  assert.deepEqual(visited, [4010, 4011]);
});
