import assert from "node:assert/strict";
import { randomBytes } from "../trust/digest.ts";
import { MAX_SEEN, ReplayGuard, SEEN_UNTIL_CHANGE } from "./replay_guard.ts";

Deno.test("replay guard takes every offer once and none of another run", () => {
  const guard = new ReplayGuard();
  const offer = { bootNonce: guard.nonces[0]!, sessionId: randomBytes(16) };
  assert.equal(guard.admit(offer), true);
  assert.equal(guard.admit(offer), false);
  assert.equal(guard.admit({ ...offer, bootNonce: randomBytes(16) }), false);
  assert.equal(guard.admit({ ...offer, sessionId: randomBytes(16) }), true);
});

Deno.test("replay guard changes its nonce when it has seen much, and honours the last one once more", () => {
  const guard = new ReplayGuard();
  const first = guard.nonces[0]!;
  const early = { bootNonce: first, sessionId: randomBytes(16) };
  assert.equal(guard.admit(early), true);
  for (let i = 1; i < SEEN_UNTIL_CHANGE; i++) {
    assert.deepEqual(guard.nonces, [first]);
    assert.equal(guard.admit({ bootNonce: first, sessionId: randomBytes(16) }), true);
  }
  const second = guard.nonces[0]!;
  assert.deepEqual(guard.nonces, [second, first]);
  assert.notDeepEqual(second, first);
  assert.equal(guard.admit({ bootNonce: first, sessionId: randomBytes(16) }), true);
  assert.equal(guard.admit(early), false, "a replay stays one");
  for (let i = 0; i < SEEN_UNTIL_CHANGE; i++) {
    guard.admit({ bootNonce: second, sessionId: randomBytes(16) });
  }
  assert.equal(guard.nonces.includes(first), false);
  assert.equal(guard.admit({ bootNonce: first, sessionId: randomBytes(16) }), false);
});

Deno.test("replay guard remembers a bounded number under the previous nonce", () => {
  const guard = new ReplayGuard();
  const first = guard.nonces[0]!;
  let taken = 0;
  for (let i = 0; i < 2 * MAX_SEEN; i++) {
    if (guard.admit({ bootNonce: first, sessionId: randomBytes(16) })) taken++;
  }
  assert.equal(taken, MAX_SEEN);
});
