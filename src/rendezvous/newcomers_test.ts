import assert from "node:assert/strict";
import { DEFAULT_LIMITS, type Limits } from "./limits.ts";
import { Callers, Newcomers } from "./newcomers.ts";

const DEVICE = "gate";
const ONCE = { burst: 1, perSecond: 0 };
const MANY = { burst: 9, perSecond: 0 };

/** One device, and a clock that the test moves. */
function door(changes: Partial<Limits> = {}) {
  const limits = { ...DEFAULT_LIMITS, ...changes };
  const newcomers = new Newcomers(new Callers(limits), { limits, now: 0 });
  return (address: string, seconds: number) =>
    newcomers.take({ device: DEVICE, address, now: seconds * 1000 });
}

function letIn(count: number, take: (index: number) => boolean): number {
  return Array.from({ length: count }, (_, index) => take(index)).filter(Boolean).length;
}

Deno.test("one address comes so often and no oftener, whatever the device would take", () => {
  const take = door({ newPeers: { burst: 1000, perSecond: 1000 } });
  assert.equal(letIn(500, () => take("a", 0)), 4 + 12 + 20 + 60);
  assert.equal(letIn(500, () => take("a", 60)), 1 + 1 + 2 + 20);
});

Deno.test("two hundred addresses that come as often as they may leave the way open for others", () => {
  const take = door();
  let [tried, failed] = [0, 0];
  for (let second = 0; second < 600; second++) {
    for (let caller = 0; caller < 200; caller++) take(`stranger ${caller}`, second);
    if (second < 120 || second % 60 !== 0) continue; // the first minutes are the next test
    tried++;
    if (!take("person", second + 0.5)) failed++;
  }
  assert.deepEqual([tried, failed], [8, 0]);
});

Deno.test("a crowd is in the way for as long as all of it is new, and no longer", () => {
  const take = door();
  const begin = 10; // by then each of 200 has come 20 times
  let came = 0;
  for (let call = 0; call < 20_000 && came === 0; call++) {
    const now = call / 400;
    take(`stranger ${call % 200}`, now);
    if (now >= begin && call % 73 === 0 && take("person", now)) came = now;
  }
  assert.ok(came >= begin && came < begin + 1, `it took until ${came} s`);
});

Deno.test("who comes often leaves a part of the burst for those who do not", () => {
  const limits = { newPeers: { burst: 8, perSecond: 0 }, newPeersPerAddress: [ONCE, ONCE, MANY] };
  const take = door(limits);
  assert.equal(letIn(20, () => take("often", 0)), 2, "what is left then is not for it");
  assert.equal(letIn(20, (index) => take(`${index}`, 0)), 6);
});

Deno.test("what nobody else wants is for those who come often", () => {
  const take = door({ newPeersPerAddress: [ONCE, { burst: 1000, perSecond: 1000 }] });
  const { burst, perSecond } = DEFAULT_LIMITS.newPeers;
  letIn(1000, () => take("often", 0));
  assert.equal(letIn(1000, () => take("often", 1)), perSecond);
  assert.equal(letIn(1000, (index) => take(`${index}`, 1)), burst / 2);
});

Deno.test("callers of one device are not callers of another", () => {
  const limits = { ...DEFAULT_LIMITS, newPeersPerAddress: [ONCE] };
  const newcomers = new Newcomers(new Callers(limits), { limits, now: 0 });
  const take = (device: string) => newcomers.take({ device, address: "a", now: 0 });
  assert.deepEqual(["x", "x", "y"].map(take), [true, false, true]);
});
