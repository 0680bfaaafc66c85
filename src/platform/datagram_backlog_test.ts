import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { Backlog, MAX_WAITING } from "./datagram_backlog.ts";

function backlog(receive: (number: number) => void = () => {}) {
  let failures = 0;
  const one = new Backlog((bytes) => receive(bytes[0]!), () => failures++);
  const push = (number: number) => {
    const buffer = one.buffer();
    buffer[0] = number;
    one.push({ buffer, bytes: buffer.subarray(0, 1), address: "192.0.2.1", port: 9 });
  };
  return { one, push, failures: () => failures };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise<void>((go) => setImmediate(go));
}

Deno.test("datagrams wait for the end of the task, and come in their order", async () => {
  const seen: number[] = [];
  const { push } = backlog((number) => seen.push(number));
  for (let number = 0; number < 100; number++) push(number);
  assert.deepEqual(seen, []);
  await turns(1);
  assert(seen.length > 0 && seen.length < 100, "a slice, and then others get their turn");
  await turns(10);
  assert.deepEqual(seen, Array.from({ length: 100 }, (_, number) => number));
});

Deno.test("a full backlog takes no more until some of it is done", async () => {
  const { one, push } = backlog();
  for (let number = 0; number < MAX_WAITING; number++) {
    assert.equal(one.room(), undefined);
    push(number);
  }
  const room = one.room();
  assert(room !== undefined);
  await room;
  assert.equal(one.room(), undefined);
  await turns(MAX_WAITING);
});

Deno.test("an error of one datagram is counted, and the next is handed over", async () => {
  const seen: number[] = [];
  const { push, failures } = backlog((number) => {
    if (number === 0) throw new Error("broken");
    seen.push(number);
  });
  push(0);
  push(1);
  await turns(1);
  assert.deepEqual(seen, [1]);
  assert.equal(failures(), 1);
});

Deno.test("nothing is handed over after close, and nobody waits for room any more", async () => {
  const seen: number[] = [];
  const { one, push } = backlog((number) => {
    seen.push(number);
    one.close();
  });
  for (let number = 0; number < MAX_WAITING; number++) push(number);
  const room = one.room();
  await turns(3);
  assert.deepEqual(seen, [0]);
  await room;
});

Deno.test("buffers are used again, and not all of them kept", async () => {
  const { one, push } = backlog();
  for (let number = 0; number < MAX_WAITING; number++) push(number);
  await turns(MAX_WAITING);
  const kept = new Set<Uint8Array>();
  const buffers = Array.from({ length: MAX_WAITING }, () => one.buffer());
  for (const buffer of buffers) if (buffer[0] !== 0) kept.add(buffer);
  assert(kept.size > 0 && kept.size <= 64);
});
