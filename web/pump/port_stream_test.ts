/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { StreamError } from "../../src/protocol/errors.ts";
import { DATA_COST_BYTES, WINDOWS_TO_OPENER } from "../../src/protocol/limits.ts";
import type { Mux } from "../../src/protocol/mux.ts";
import { BODY_WINDOW, bodyCost } from "../sw/port_messages.ts";
import { PortClient, PumpBench } from "../testing/pump_bench.ts";
import { PortStream } from "./port_stream.ts";

/** A stream whose mux does what the test says. */
function streamOver(write: (stream: PortStream) => boolean) {
  const { port1, port2 } = new MessageChannel();
  const resets: string[] = [];
  const mux = {
    write: () => write(stream),
    reset: (_now: number, _id: number, code: string) => resets.push(code),
  } as unknown as Mux; // as much of a mux as a port's stream uses to send
  const stream: PortStream = new PortStream(port2, {
    id: 1,
    kind: "http",
    run: (call) => call(mux, 0),
    forget: () => {},
  });
  stream.start();
  return { client: new PortClient(port1), resets };
}

Deno.test("a port gets its credit back when the mux says writable within the write that it asked to pause", async () => {
  const { client } = streamOver((stream) => {
    stream.event({ type: "writable", id: 1 });
    return false;
  });
  assert.deepEqual(await client.next("pull"), { type: "pull", bytes: BODY_WINDOW });
  const bytes = new Uint8Array(1000);
  client.send({ type: "body", bytes, text: false, last: false });
  assert.deepEqual(await client.next("pull"), { type: "pull", bytes: bodyCost(bytes) });
  client.close();
});

Deno.test("a port whose body the mux does not take hears why", async () => {
  const { client, resets } = streamOver(() => {
    throw new StreamError("limit", "Cannot queue");
  });
  client.send({ type: "body", bytes: new Uint8Array(1), text: false, last: false });
  assert.deepEqual(await client.next("error"), { type: "error", code: "limit" });
  assert.deepEqual(resets, ["limit"]);
  client.close();
});

Deno.test("empty messages do not use the credit of a WebSocket up", async () => {
  const empty = 1.2 * WINDOWS_TO_OPENER.stream / DATA_COST_BYTES;
  using bench = new PumpBench((stream) => {
    stream.respond(101);
    queueMicrotask(() => { // later: nothing leaves while the double is told of a stream
      for (let i = 0; i < empty; i++) stream.write("", { text: true, last: true });
      stream.write("done", { text: true, last: true });
    });
  });
  const client = bench.open({ kind: "websocket", method: "GET", path: "/", headers: [] });
  let bytes = 0;
  while (bytes === 0) bytes = (await client.next("data")).bytes.length;
  assert.equal(bytes, 4);
  client.send({ type: "cancel" });
});
