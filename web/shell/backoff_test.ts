/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { retryDelay } from "./backoff.ts";

Deno.test("retryDelay() starts at 0.3 s, doubles, and never passes 10 s", () => {
  assert.equal(retryDelay(1, 1), 300);
  assert.equal(retryDelay(2, 1), 600);
  assert.equal(retryDelay(6, 1), 9600);
  assert.equal(retryDelay(7, 1), 10_000);
  assert.equal(retryDelay(1e9, 1), 10_000);
});

Deno.test("retryDelay() spreads attempts over the last quarter", () => {
  assert.equal(retryDelay(1, 0), 225);
  assert.equal(retryDelay(100, 0), 7500);
});
