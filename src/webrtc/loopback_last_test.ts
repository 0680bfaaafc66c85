import assert from "node:assert/strict";
import { LoopbackLast } from "./loopback_last.ts";

const host = (address: string) => `candidate:1 1 udp 2130706431 ${address} 50000 typ host`;
const LAN = host("192.168.1.5");
const LOOPBACK = [host("127.0.0.1"), host("::1")];

/** What is told, and a promise that so many are. */
function listener(wanted: number) {
  const told: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  return {
    told,
    all: promise,
    tell: (candidate: string) => void (told.push(candidate) === wanted && resolve()),
  };
}

Deno.test("loopback is told after all others, whatever the order they came in", async () => {
  const { told, all, tell } = listener(3);
  const order = new LoopbackLast(tell, { isAlone: false, headStartMs: 1 });
  for (const candidate of [LOOPBACK[0]!, LAN, LOOPBACK[1]!]) order.take(candidate);
  assert.deepEqual(told, [LAN]);
  await all;
  assert.deepEqual(told, [LAN, ...LOOPBACK]);
  order.stop();
});

Deno.test("an address that a relay or a STUN server named is told at once, whatever it is", () => {
  const { told, tell } = listener(1);
  const order = new LoopbackLast(tell, { isAlone: false });
  const relay = "candidate:1 1 udp 1000 127.0.0.1 50000 typ relay raddr 127.0.0.1 rport 50001";
  order.take(relay);
  assert.deepEqual(told, [relay]);
  order.stop();
});

Deno.test("once connected loopback is not told any more", () => {
  const { told, tell } = listener(2);
  const order = new LoopbackLast(tell, { isAlone: false, headStartMs: 1 });
  for (const candidate of [...LOOPBACK, LAN]) order.take(candidate);
  order.stop();
  order.take(LOOPBACK[0]!); // a timer that was left would be a leak, which the sanitizer tells
  assert.deepEqual(told, [LAN]);
});

Deno.test("a machine with nothing but loopback tells it at once", () => {
  const { told, tell } = listener(2);
  const order = new LoopbackLast(tell, { isAlone: true });
  for (const candidate of LOOPBACK) order.take(candidate);
  assert.deepEqual(told, LOOPBACK);
});
