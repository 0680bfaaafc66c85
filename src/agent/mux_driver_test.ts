import assert from "node:assert/strict";
import { WINDOWS_TO_ACCEPTOR } from "../protocol/limits.ts";
import { BrowserDouble, ChannelDouble } from "./doubles_test.ts";
import { HELD_HIGH_BYTES } from "./limits.ts";
import { MuxDriver } from "./mux_driver.ts";

const PART = new Uint8Array(16_384);

/** The agent's driver, whose listener takes nothing by itself, and a browser that uploads on several streams. */
async function uploading(streams: number) {
  const [near, far] = ChannelDouble.pair();
  let payload = 0;
  let paused = 0;
  const parts: { id: number; length: number }[] = [];
  const driver = new MuxDriver(near, {
    event: (event) => {
      if (event.type !== "data") return;
      parts.push({ id: event.id, length: event.bytes.length });
      payload += event.bytes.length;
      if (near.isPaused) paused += event.bytes.length;
    },
    closed: (reason) => assert.fail(reason),
  });
  driver.start();
  const browser = new BrowserDouble(far);
  for (let stream = 0; stream < streams; stream++) {
    const id = browser.open({ method: "PUT" });
    for (let sent = 0; sent < WINDOWS_TO_ACCEPTOR.stream; sent += PART.length) {
      browser.run((mux) => mux.write(0, id, PART));
    }
  }
  await new Promise((resolve) => setTimeout(resolve, 0));
  const consume = (count: number) => {
    for (const { id, length } of parts.splice(0, count)) {
      driver.run((mux, now) => mux.consumed(now, id, length));
    }
  };
  return { near, consume, held: () => payload, paused: () => paused, close: () => driver.close() };
}

Deno.test("one service that does not read leaves the transport's window open", async () => {
  const { near, held, close } = await uploading(1);
  assert(held() > WINDOWS_TO_ACCEPTOR.stream / 2);
  assert(!near.isPaused);
  close();
});

Deno.test("services that do not read close the transport's window, but not for control", async () => {
  const { near, held, paused, close } = await uploading(20);
  assert(near.isPaused);
  assert(held() > HELD_HIGH_BYTES && held() <= WINDOWS_TO_ACCEPTOR.connection, `${held()} held`);
  // What came while paused is what the window has lost of its 2 MiB.
  assert(paused() <= 1.5 * 2 ** 20, `${paused()} lost`);
  close();
});

Deno.test("the window opens again when services read", async () => {
  const { near, consume, close } = await uploading(20);
  assert(near.isPaused);
  consume(1);
  assert(near.isPaused, "not for every part");
  consume(Infinity);
  assert(!near.isPaused);
  close();
});
