import assert from "node:assert/strict";
import fc from "fast-check";
import { BEGIN, END, type Fragment, UNORDERED } from "../packet/data_chunk.ts";
import { tsnPlus } from "../packet/serial.ts";
import { type Message, Reassembly } from "./reassembly.ts";

const START = 0xfffffff0;

/** Messages as fragments, TSNs over the wrap, the SSN of each stream too. */
function fragmentsOf(
  messages: readonly { streamId: number; sizes: readonly number[]; unordered?: boolean }[],
  firstSsn = 0,
): Fragment[] {
  const ssns = new Map<number, number>();
  const fragments: Fragment[] = [];
  let byte = 0;
  for (const { streamId, sizes, unordered } of messages) {
    const ssn = unordered ? 0 : ssns.get(streamId) ?? firstSsn;
    if (!unordered) ssns.set(streamId, (ssn + 1) & 0xffff);
    for (const [i, size] of sizes.entries()) {
      const flags = (i === 0 ? BEGIN : 0) | (i === sizes.length - 1 ? END : 0) |
        (unordered ? UNORDERED : 0);
      const bytes = new Uint8Array(size).fill(byte++);
      fragments.push({
        tsn: tsnPlus(START, fragments.length),
        flags,
        streamId,
        ssn,
        protocol: 53,
        bytes,
      });
    }
  }
  return fragments;
}

function deliver(fragments: readonly Fragment[], maxMessageBytes = 10_000) {
  const messages: Message[] = [];
  const reassembly = new Reassembly(maxMessageBytes, (message) => messages.push(message));
  const taken = fragments.map((fragment) => reassembly.take(fragment));
  return { messages, taken, keptBytes: reassembly.keptBytes };
}

const message = fc.record({
  streamId: fc.integer({ min: 0, max: 2 }),
  sizes: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
});

Deno.test("messages arrive whole and in the order of their stream, in whatever order fragments do (RFC 9260 6.6, 6.9)", () => {
  const run = fc.array(message, { maxLength: 12 }).chain((messages) => {
    const fragments = fragmentsOf(messages);
    return fc.record({
      fragments: fc.constant(fragments),
      shuffled: fc.shuffledSubarray(fragments, {
        minLength: fragments.length,
        maxLength: fragments.length,
      }),
    });
  });
  fc.assert(fc.property(run, ({ fragments, shuffled }) => {
    const inOrder = deliver(fragments);
    const mixed = deliver(shuffled);
    assert(mixed.taken.every((one) => one));
    assert.equal(mixed.keptBytes, 0);
    for (const streamId of [0, 1, 2]) {
      const of = (messages: readonly Message[]) => messages.filter((m) => m.streamId === streamId);
      assert.deepEqual(of(mixed.messages), of(inOrder.messages));
    }
    assert.equal(
      inOrder.messages.reduce((sum, { bytes }) => sum + bytes.length, 0),
      fragments.reduce((sum, { bytes }) => sum + bytes.length, 0),
    );
  }));
});

Deno.test("a message of another stream does not wait for the one with a hole", () => {
  const [first, second, other] = fragmentsOf([
    { streamId: 1, sizes: [3, 3] },
    { streamId: 0, sizes: [4] },
  ]);
  const { messages } = deliver([second!, other!]);
  assert.deepEqual(messages.map(({ streamId }) => streamId), [0]);
  assert.equal(deliver([second!, other!, first!]).messages.length, 2);
});

Deno.test("stream numbers go on over their wrap", () => {
  const fragments = fragmentsOf([{ streamId: 1, sizes: [1] }]);
  const messages: Message[] = [];
  const reassembly = new Reassembly(100, (one) => messages.push(one));
  for (let i = 0; i < 0x10002; i++) {
    const tsn = tsnPlus(START, i);
    assert(reassembly.take({ ...fragments[0]!, tsn, ssn: i & 0xffff }));
  }
  assert.equal(messages.length, 0x10002);
});

Deno.test("unordered messages are delivered when whole (RFC 9260 6.6)", () => {
  const fragments = fragmentsOf([
    { streamId: 1, sizes: [1, 1, 1], unordered: true },
    { streamId: 1, sizes: [5], unordered: true },
    { streamId: 1, sizes: [2] },
  ]);
  const { messages, keptBytes } = deliver([4, 3, 2, 0, 1].map((i) => fragments[i]!));
  assert.deepEqual(messages.map(({ bytes }) => bytes.length), [2, 5, 3]);
  assert.equal(keptBytes, 0);
});

Deno.test("a message above the limit is refused when it passes it", () => {
  const { taken } = deliver(fragmentsOf([{ streamId: 1, sizes: [40, 40, 40] }]), 100);
  assert.deepEqual(taken, [true, true, false]);
});

Deno.test("a whole message in order is a view into its packet; a small kept one is a copy", () => {
  const packet = new Uint8Array(1000);
  const bytes = packet.subarray(100, 200);
  const [fragment] = fragmentsOf([{ streamId: 1, sizes: [1] }]);
  const { messages } = deliver([{ ...fragment!, bytes }]);
  assert.equal(messages[0]!.bytes.buffer, packet.buffer);
  const late = deliver([{ ...fragment!, bytes, ssn: 1, tsn: 5 }, { ...fragment!, bytes, tsn: 4 }]);
  assert.notEqual(late.messages[1]!.bytes.buffer, packet.buffer, "would hold 1000 bytes for 100");
});

Deno.test("what no honest peer sends is refused: old numbers, fragments of two messages mixed", () => {
  const [a, b] = fragmentsOf([{ streamId: 1, sizes: [1] }, { streamId: 1, sizes: [1] }]);
  assert.deepEqual(deliver([a!, b!, { ...a!, tsn: 7 }]).taken, [true, true, false]);
  const [begin, , end] = fragmentsOf([{ streamId: 1, sizes: [1, 1, 1] }]);
  const foreign = { ...begin!, tsn: tsnPlus(START, 1), streamId: 2, flags: 0 };
  assert.deepEqual(deliver([foreign, end!, begin!]).taken, [true, true, false]);
  const twice = { ...begin!, tsn: tsnPlus(START, 1) };
  assert.deepEqual(deliver([begin!, twice]).taken.at(-1), false);
});
