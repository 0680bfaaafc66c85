/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { Observable } from "./observable.ts";

Deno.test("observable tells its listeners of changes only, until they leave", () => {
  const observable = new Observable(1);
  const seen: number[] = [];
  const leave = observable.subscribe(() => seen.push(observable.value));
  observable.set(1);
  observable.set(2);
  leave();
  observable.set(3);
  assert.deepEqual(seen, [2]);
  assert.equal(observable.value, 3);
});

Deno.test("observable lets a listener leave while it is being told", () => {
  const observable = new Observable(1);
  const seen: string[] = [];
  const leave = observable.subscribe(() => {
    seen.push("first");
    leave();
  });
  observable.subscribe(() => seen.push("second"));
  observable.set(2);
  observable.set(3);
  assert.deepEqual(seen, ["first", "second", "second"]);
});
