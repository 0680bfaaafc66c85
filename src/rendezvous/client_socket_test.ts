import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
// @ts-types="npm:@types/ws@8.18.2"
import type { WebSocket } from "ws";
import { ClientSocket } from "./client_socket.ts";
import { DEFAULT_LIMITS } from "./limits.ts";

/** As much of a WebSocket as the socket under test uses. */
class FakeWebSocket extends EventEmitter {
  readyState = 1;
  bufferedAmount = 0;
  readonly sent: string[] = [];
  send(text: string): void {
    this.sent.push(text);
  }
  ping(): void {}
  pong(data: Uint8Array): void {
    this.sent.push(`pong ${data.length}`);
  }
  close(): void {
    this.readyState = 2;
  }
  terminate(): void {
    this.readyState = 3;
    this.emit("close");
  }
}

function started(): { fake: FakeWebSocket; socket: ClientSocket; heard: string[] } {
  const [fake, heard] = [new FakeWebSocket(), [] as string[]];
  const options = { limits: DEFAULT_LIMITS, idleMs: 60_000, now: () => 0 };
  const socket = new ClientSocket(fake as unknown as WebSocket, options);
  socket.start({ message: (text) => heard.push(text), closed: () => heard.push("closed") });
  return { fake, socket, heard };
}

Deno.test("client socket ends a reader that is too slow instead of keeping its messages", () => {
  const { fake, socket, heard } = started();
  fake.bufferedAmount = DEFAULT_LIMITS.waitingBytes;
  socket.send({ type: "gone" });
  assert.equal(fake.sent.length, 1);
  fake.bufferedAmount += 1;
  socket.send({ type: "gone" });
  assert.equal(fake.sent.length, 1);
  assert.deepEqual(heard, ["closed"]);
});

Deno.test("client socket keeps no pongs for one who pings and does not read", () => {
  const { fake, heard } = started();
  fake.emit("ping", new Uint8Array(3));
  assert.deepEqual(fake.sent, ["pong 3"]);
  fake.bufferedAmount = DEFAULT_LIMITS.waitingBytes + 1;
  fake.emit("ping", new Uint8Array(3));
  assert.deepEqual([fake.sent.length, heard], [1, ["closed"]]);
});

Deno.test("client socket neither sends nor hears once it is closing", () => {
  const { fake, socket, heard } = started();
  socket.refuse("malformed");
  fake.emit("message", "late", false);
  socket.send({ type: "gone" });
  assert.deepEqual(fake.sent, ['{"type":"refused","code":"malformed"}']);
  fake.terminate();
  assert.deepEqual(heard, ["closed"]);
});

Deno.test("client socket takes only the pong of its own ping for life", async () => {
  const { fake, socket } = started();
  const alive = socket.alive(1);
  fake.emit("pong", new Uint8Array(8));
  fake.emit("pong", new Uint8Array(0));
  assert.equal(await alive, false);
  assert.equal(fake.readyState, 3);
  assert.equal(await socket.alive(1), false);
});

Deno.test("client socket survives an error event and ends", () => {
  const { fake, heard } = started();
  fake.emit("error", new Error("broken"));
  assert.deepEqual(heard, ["closed"]);
});
