import assert from "node:assert/strict";
import { type Letter, LocalSwitchboard } from "./switchboard.ts";

Deno.test("switchboard brings a letter to the sink of its mailbox", () => {
  const board = new LocalSwitchboard();
  const letters: Letter[] = [];
  board.attach("device:a", (letter) => letters.push(letter));
  board.deliver("device:a", { type: "find", from: "browser:1" });
  assert.deepEqual(letters, [{ type: "find", from: "browser:1" }]);
});

Deno.test("switchboard tells the sender when nobody holds the mailbox", () => {
  const board = new LocalSwitchboard();
  const letters: Letter[] = [];
  board.attach("browser:1", (letter) => letters.push(letter));
  board.deliver("device:a", { type: "sealed", from: "browser:1", address: "a", sealed: "x" });
  assert.deepEqual(letters, [{ type: "unreachable", mailbox: "device:a" }]);
  board.deliver("device:a", { type: "sealed", from: "browser:2", address: "a", sealed: "x" }); // nobody to tell
  assert.equal(letters.length, 1);
});

Deno.test("switchboard keeps a newer holder when an older one leaves", () => {
  const board = new LocalSwitchboard();
  const letters: Letter[] = [];
  const leave = board.attach("device:a", () => assert.fail("replaced"));
  const leaveNewer = board.attach("device:a", (letter) => letters.push(letter));
  leave();
  board.deliver("device:a", { type: "gone", from: "browser:1" });
  assert.equal(letters.length, 1);
  leaveNewer();
  board.deliver("device:a", { type: "gone", from: "browser:1" });
  assert.equal(letters.length, 1);
});
