// The peer against Debian's Firefox ESR. puppeteer-core keeps handles of its own that end after the
// browser has, so that these tests run without the sanitizers; `peer_contract_test.ts` has them on.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import type { Bytes } from "../../src/lib/bytes.ts";
import type { DataChannel } from "../../src/webrtc/channel.ts";
import { firefoxMissing } from "./firefox.ts";
import { FirefoxSession } from "./firefox_offerer.ts";
import { limited } from "./limited.ts";

const BULK_BYTES = 5_000_000;
const MESSAGE_BYTES = 16_384;
const HIGH_BYTES = 262_144;

const lack = firefoxMissing();
// deno-lint-ignore no-console -- a skipped test says why
if (lack !== undefined) console.log(`peer against Firefox: skipped, ${lack}`);

function test(name: string, fn: (session: FirefoxSession) => Promise<void>): void {
  Deno.test({
    name,
    ignore: lack !== undefined,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      await using session = await FirefoxSession.open();
      await limited(fn(session));
    },
  });
}

/** Creates the channel at both ends; gives what arrives, in order. */
async function openChannel(session: FirefoxSession, id: number) {
  const channel: DataChannel = session.peer.channel(id, `channel ${id}`);
  const messages: Bytes[] = [];
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  let [wake, low] = [() => {}, () => {}];
  channel.listen({
    open: opened.resolve,
    message(bytes) {
      messages.push(bytes);
      wake();
    },
    low: () => low(),
    close: closed.resolve,
  });
  if (id !== 0) await session.call("channel", id, `channel ${id}`);
  await opened.promise;
  await session.call("opened", id);
  return {
    channel,
    closed: closed.promise,
    onLow: () => new Promise<void>((resolve) => low = resolve),
    async next(): Promise<Bytes> {
      while (messages.length === 0) await new Promise<void>((resolve) => wake = resolve);
      return messages.shift()!;
    },
  };
}

test("Firefox echoes binary messages on channels 0 and 1, and its end is noticed", async (session) => {
  for (const id of [0, 1]) {
    const { channel, next, closed } = await openChannel(session, id);
    await session.call("echo", id);
    for (const length of [1, 1160, 1161, 65_536, 262_144]) {
      const message = randomBytes(length);
      channel.send(message);
      assert.deepEqual(await next(), new Uint8Array(message));
    }
    if (id !== 1) continue;
    await session.call("close");
    await closed;
  }
  assert.deepEqual(session.states, ["connecting", "connected", "closed"]);
});

test("5 MB arrive whole in Firefox, and 5 MB of it here", async (session) => {
  const { channel, next, onLow } = await openChannel(session, 1);
  const bytes = randomBytes(BULK_BYTES);
  const received = session.call<{ sha256: string }>("receive", 1, BULK_BYTES);
  for (let at = 0; at < BULK_BYTES; at += MESSAGE_BYTES) {
    if (channel.bufferedAmount > HIGH_BYTES) await onLow();
    channel.send(bytes.subarray(at, at + MESSAGE_BYTES));
  }
  assert.equal((await received).sha256, createHash("sha256").update(bytes).digest("hex"));

  const sent = session.call<string>("send", 1, BULK_BYTES, MESSAGE_BYTES);
  const hash = createHash("sha256");
  for (let length = 0; length < BULK_BYTES;) {
    const message = await next();
    hash.update(message);
    length += message.length;
  }
  assert.equal(hash.digest("hex"), await sent);
});
