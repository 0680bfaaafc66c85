import assert from "node:assert/strict";
import { type Bytes, concat, toBase64Url } from "../lib/bytes.ts";
import { offerTag } from "../trust/offer.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { isOffer, People } from "./people.ts";

const SMALLEST_OFFER = 1093; // PROTOCOL.md 3

/** What an offer with this tag looks like from outside. */
function offer(tag: Bytes, { first = 1, size = SMALLEST_OFFER } = {}): string {
  const head = concat(new Uint8Array([first, 0, 0, 0, 7]), tag);
  return toBase64Url(concat(head, new Uint8Array(size - head.length)));
}

const tagOf = (number: number) => new Uint8Array(16).fill(number);
const shortened = (...numbers: number[]) => concat(...numbers.map((n) => tagOf(n).slice(0, 8)));

Deno.test("people are known by the first bytes of their offers' tags, where trust/offer.ts puts these", () => {
  const people = new People(DEFAULT_LIMITS);
  const wire = new Uint8Array(SMALLEST_OFFER).map((_, index) => index === 0 ? 1 : index);
  people.replace(concat(shortened(1, 2), offerTag(wire)!.slice(0, 8)));
  assert.notEqual(people.find(toBase64Url(wire)), undefined);
  assert.notEqual(people.find(offer(tagOf(2))), undefined);
  assert.notEqual(people.find(offer(tagOf(1))), people.find(offer(tagOf(2))));
  assert.equal(people.find(offer(tagOf(3))), undefined);
  people.replace(shortened(3));
  assert.equal(people.find(offer(tagOf(2))), undefined);
  assert.notEqual(people.find(offer(tagOf(3))), undefined);
  people.replace(new Uint8Array());
  assert.equal(people.find(offer(tagOf(3))), undefined);
});

Deno.test("what is no offer has no person, however long it is", () => {
  const people = new People(DEFAULT_LIMITS);
  people.replace(shortened(0, 1));
  for (let size = 1; size < 40; size++) {
    assert.equal(people.find(toBase64Url(new Uint8Array(size).fill(3))), undefined);
  }
  assert.equal(
    people.find(toBase64Url(new Uint8Array(14).fill(1))),
    undefined,
    "cut before its tag ends",
  );
  assert.equal(people.find(offer(tagOf(1), { first: 3 })), undefined);
  assert.deepEqual([offer(tagOf(1)), offer(tagOf(1), { first: 3 }), "AQ"].map(isOffer), [
    true,
    false,
    false,
  ]);
});

Deno.test("a tag between two others is none of theirs", () => {
  const people = new People(DEFAULT_LIMITS);
  people.replace(new Uint8Array(16).map((_, index) => index));
  const across = new Uint8Array(16).map((_, index) => index + 4);
  assert.equal(people.find(offer(across)), undefined);
});

Deno.test("a person comes ten times at once, and then every two seconds", () => {
  const people = new People(DEFAULT_LIMITS);
  const came = (person: string, second: number) =>
    Array.from({ length: 30 }, () => people.take(person, second * 1000)).filter(Boolean).length;
  assert.deepEqual([came("a", 0), came("a", 4), came("b", 4)], [10, 2, 10]);
});
