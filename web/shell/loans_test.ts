import assert from "node:assert/strict";
import type { Loan } from "./devices.ts";
import { MAX_OTHER_LOANS, nextLoan, withLoan } from "./loans.ts";

function loan(number: number, expires: number): Loan {
  return { grants: [new Uint8Array([number]), new Uint8Array([1])], operations: ["view"], expires };
}

Deno.test("a second loan of a device keeps the first for later, while it holds", () => {
  const week = loan(1, 900);
  const hour = loan(2, 300);
  assert.deepEqual(withLoan({}, week, 100), { loan: week, otherLoans: [] });
  const both = withLoan({ loan: week }, hour, 100);
  assert.deepEqual(both, { loan: hour, otherLoans: [week] });
  assert.deepEqual(withLoan(both, hour, 200), both, "a reconnect adds nothing");
  assert.deepEqual(withLoan(both, loan(3, 1000), 950).otherLoans, [], "what is over is let go");
});

Deno.test("when a loan ends, the one that lasts longest takes its place", () => {
  const otherLoans = [loan(1, 500), loan(2, 900), loan(3, 150)];
  assert.deepEqual(nextLoan({ otherLoans }, 200), {
    loan: otherLoans[1],
    otherLoans: [otherLoans[0]],
  });
  assert.equal(nextLoan({ otherLoans }, 900), undefined);
  assert.equal(nextLoan({}, 0), undefined);
});

Deno.test("loans that wait are few, the newest first", () => {
  let device: Parameters<typeof withLoan>[0] = {};
  for (let i = 1; i <= 20; i++) device = withLoan(device, loan(i, 1000 + i), 0);
  assert.equal(device.otherLoans!.length, MAX_OTHER_LOANS);
  assert.equal(device.otherLoans![0]!.grants[0]![0], 19);
});
