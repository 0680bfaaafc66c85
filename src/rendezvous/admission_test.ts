import assert from "node:assert/strict";
import { Admission, type Place } from "./admission.ts";

/** A place that tells when it had to be given up. */
function place(address: string, ended: string[] = [], name = address): Place {
  return { address, end: () => ended.push(name) };
}

Deno.test("admission stops at the limit of an address and at that of all", () => {
  const admission = new Admission(3, 2);
  const places = ["a", "a", "a", "b", "b"].map((address) => place(address));
  const entered = places.map((place) => admission.enter(place));
  assert.deepEqual(entered, [true, true, false, true, false]);
  admission.leave(places[0]!);
  assert.equal(admission.enter(place("b")), true);
  assert.equal(admission.count, 3);
});

Deno.test("a newcomer gets the oldest place of the address that holds the most", () => {
  const admission = new Admission(4, 3);
  const ended: string[] = [];
  const places = ["a1", "b1", "a2", "a3"].map((name) => place(name[0]!, ended, name));
  for (const one of places) assert.equal(admission.enter(one), true);
  assert.equal(admission.enter(place("c")), true);
  assert.deepEqual(ended, ["a1"]);
  admission.leave(places[0]!); // it is told of its end as well
  assert.equal(admission.count, 4);
  assert.equal(admission.enter(place("b")), false, "that would only turn it around");
  assert.equal(admission.enter(place("d")), true);
  assert.deepEqual(ended, ["a1", "a2"]);
  assert.equal(admission.enter(place("e")), false, "each address has one");
});

Deno.test("admission does not count below zero", () => {
  const admission = new Admission(1, 1);
  admission.leave(place("a"));
  assert.equal(admission.enter(place("a")), true);
  assert.equal(admission.enter(place("b")), false);
});
