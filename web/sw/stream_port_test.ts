import assert from "node:assert/strict";
import type { StreamCode } from "../../src/protocol/errors.ts";
import { StreamPort } from "./stream_port.ts";

/** A port in use, what it told its user, and the pump's end. */
function opened(): {
  port: StreamPort;
  told: string[];
  pump: MessagePort;
  answered: Promise<void>;
} {
  const { port1, port2 } = new MessageChannel();
  const told: string[] = [];
  const answered = Promise.withResolvers<void>();
  const port = new StreamPort(port1, {
    head: () => told.push("head"),
    data: () => told.push("data"),
    end: () => {
      told.push("end");
      answered.resolve();
    },
    error: (code: StreamCode) => told.push(`error ${code}`),
    credit: () => told.push("credit"),
  });
  port.start();
  return { port, told, pump: port2, answered: answered.promise };
}

Deno.test("a stream that ends before its answer is complete is an error", () => {
  const { port, told, pump } = opened();
  port.fail("session_closed");
  port.fail("session_closed");
  assert.deepEqual(told, ["error session_closed"]);
  pump.close();
});

Deno.test("a stream that ends after its answer is complete only stops the upload", async () => {
  const { port, told, pump, answered } = opened();
  pump.postMessage({ type: "head", status: 200, headers: [] });
  pump.postMessage({ type: "end" });
  await answered;
  port.fail("session_closed");
  assert.deepEqual(told, ["head", "end", "credit"]);
  assert.equal(port.open, false);
  pump.close();
});
