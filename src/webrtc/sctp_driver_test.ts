import assert from "node:assert/strict";
import type { RTCSctpTransport } from "werift";
import { INIT } from "./sctp/packet/chunk.ts";
import { HandMadePeer, packetOf, readPacket, type SeenChunk } from "./sctp/test_parts.ts";
import { SctpDriver } from "./sctp_driver.ts";

/** A driver, what it sends, and werift's step that starts it. */
function driver(initWaitMs?: number) {
  const transport: { sctp?: { start(): Promise<void> } } = {};
  const seen: SeenChunk[] = [];
  const sent = Promise.withResolvers<void>();
  const one = new SctpDriver(transport as RTCSctpTransport, {
    initWaitMs,
    packet({ buffer, offset, length }) {
      seen.push(...readPacket(buffer.subarray(offset, offset + length)));
      sent.resolve();
    },
    established() {},
    message() {},
    progress() {},
    closed() {},
  });
  return { one, seen, sent: sent.promise, start: () => transport.sctp!.start() };
}

Deno.test("an INIT leaves as soon as werift starts the association, and crosses the browser's", async () => {
  const { one, seen, sent, start } = driver();
  try {
    await start();
    await sent;
    assert.deepEqual(seen.map(({ type }) => type), [INIT]);
  } finally {
    one.close();
  }
});

Deno.test("an end that is to be waited for has no INIT before its own is answered", async () => {
  const { one, seen, sent, start } = driver(60_000);
  try {
    await start();
    one.receive(packetOf(0, new HandMadePeer().init()));
    await sent;
    assert(seen.every(({ type }) => type !== INIT));
  } finally {
    one.close();
  }
});
