/**
 * Throughput of the bulk channel between a peer and Chromium on loopback, both ways, and the time
 * it takes to answer and to open: `deno run -A tests/bench/peer_bench.ts [megabytes] [message
 * bytes]`. Prints one JSON line.
 */
import { Session } from "../contract/chromium_offerer.ts";

const HIGH_BYTES = 262_144;

const [megabytes = 50, messageBytes = 16_384] = Deno.args.map(Number);
const total = megabytes * 1_000_000;

await using session = await Session.open();
const control = session.peer.channel(0, "control");
await new Promise<void>((open) => control.listen({ open, message() {}, low() {}, close() {} }));
const openMs = await session.call<number>("opened", 0);

await session.call("channel", 1, "bulk");
const bulk = session.peer.channel(1, "bulk");
let received = 0;
let [low, done] = [() => {}, () => {}];
bulk.listen({
  open() {},
  message(bytes) {
    received += bytes.length;
    if (received >= total) done();
  },
  low: () => low(),
  close() {},
});
await session.call("opened", 1);

const cpuBefore = cpuSeconds();
const arrival = session.call<{ ms: number }>("receive", 1, total);
await session.call("opened", 1); // calls are done in order: now the page listens, and no byte is lost
const message = new Uint8Array(messageBytes);
for (let at = 0; at < total; at += messageBytes) {
  if (bulk.bufferedAmount > HIGH_BYTES) await new Promise<void>((resolve) => low = resolve);
  bulk.send(message.subarray(0, Math.min(messageBytes, total - at)));
}
const down = await arrival;
const cpuDown = cpuSeconds() - cpuBefore;

const start = performance.now();
const sent = session.call("send", 1, total, messageBytes);
await new Promise<void>((resolve) => done = resolve);
const upMs = performance.now() - start;
await sent;

// deno-lint-ignore no-console -- a bench prints its result
console.log(JSON.stringify({
  answerMs: round(session.answerMs),
  openMs: round(openMs),
  downMbitPerSecond: round(total * 8 / 1000 / down.ms),
  downCpuSeconds: round(cpuDown),
  upMbitPerSecond: round(total * 8 / 1000 / upMs),
}));
await session[Symbol.asyncDispose]();
Deno.exit(0);

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Of this process, all threads. */
function cpuSeconds(): number {
  const fields = Deno.readTextFileSync("/proc/self/stat").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
