import assert from "node:assert/strict";
import { type Place, Turnstile } from "./turnstile.ts";

/** A place that tells when it had to be given up. */
function place(address: string, ended: string[] = [], name = address): Place {
  return { address, end: () => ended.push(name) };
}

Deno.test("turnstile stops at the limit of an address and at that of all", () => {
  const turnstile = new Turnstile(3, 2);
  const places = ["a", "a", "a", "b", "b"].map((address) => place(address));
  const entered = places.map((place) => turnstile.enter(place));
  assert.deepEqual(entered, [true, true, false, true, false]);
  turnstile.leave(places[0]!);
  assert.equal(turnstile.enter(place("b")), true);
  assert.equal(turnstile.count, 3);
});

Deno.test("a newcomer gets the oldest place of the address that holds the most", () => {
  const turnstile = new Turnstile(4, 3);
  const ended: string[] = [];
  const places = ["a1", "b1", "a2", "a3"].map((name) => place(name[0]!, ended, name));
  for (const one of places) assert.equal(turnstile.enter(one), true);
  assert.equal(turnstile.enter(place("c")), true);
  assert.deepEqual(ended, ["a1"]);
  turnstile.leave(places[0]!); // it is told of its end as well
  assert.equal(turnstile.count, 4);
  assert.equal(turnstile.enter(place("b")), false, "that would only turn it around");
  assert.equal(turnstile.enter(place("d")), true);
  assert.deepEqual(ended, ["a1", "a2"]);
  assert.equal(turnstile.enter(place("e")), false, "each address has one");
});

Deno.test("turnstile does not count below zero", () => {
  const turnstile = new Turnstile(1, 1);
  turnstile.leave(place("a"));
  assert.equal(turnstile.enter(place("a")), true);
  assert.equal(turnstile.enter(place("b")), false);
});
