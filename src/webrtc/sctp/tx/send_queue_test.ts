import assert from "node:assert/strict";
import { BEGIN, END } from "../packet/data_chunk.ts";
import { SendQueue } from "./send_queue.ts";

function message(size: number) {
  return { protocol: 53, bytes: new Uint8Array(size) };
}

Deno.test("lower streams go first, but a message that has begun is finished first", () => {
  const queue = new SendQueue();
  queue.push(1, message(250));
  queue.push(1, message(10));
  const taken: number[][] = [];
  const take = () => {
    const { streamId, ssn, offset, length, flags } = queue.take(100);
    taken.push([streamId, ssn, offset, length, flags]);
  };
  take();
  queue.push(0, message(5));
  while (queue.nextBytes > 0) take();
  assert.deepEqual(taken, [
    [1, 0, 0, 100, BEGIN],
    [1, 0, 100, 100, 0],
    [1, 0, 200, 50, END],
    [0, 0, 0, 5, BEGIN | END],
    [1, 1, 0, 10, BEGIN | END],
  ]);
});

Deno.test("the amounts are true at each step", () => {
  const queue = new SendQueue();
  queue.push(3, message(30));
  queue.push(0, message(20));
  assert.deepEqual([queue.bytes, queue.bufferedAmount(3), queue.bufferedAmount(0)], [50, 30, 20]);
  queue.take(15);
  assert.deepEqual([queue.bytes, queue.bufferedAmount(0), queue.nextBytes], [35, 5, 5]);
  queue.take(15);
  queue.take(100);
  assert.deepEqual([queue.bytes, queue.bufferedAmount(3), queue.nextBytes], [0, 0, 0]);
  assert.equal(queue.bufferedAmount(9), 0);
});

Deno.test("stream numbers go on over their wrap", () => {
  const queue = new SendQueue();
  const seen = new Set<number>();
  for (let i = 0; i < 0x10001; i++) {
    queue.push(1, message(1));
    if (i >= 3000) seen.add(queue.take(1).ssn); // many wait: the queue is cut now and then
  }
  let last = 0;
  while (queue.nextBytes > 0) last = queue.take(1).ssn;
  assert.equal(last, 0);
});
