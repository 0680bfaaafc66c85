/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import type { Bytes } from "../../src/lib/bytes.ts";
import type { ControlMessage } from "../../src/protocol/control.ts";
import { decodeControl, encodeControl } from "../../src/protocol/control_codec.ts";
import { byeError, type Confirmation, type ControlChannel, ControlLink } from "./control_link.ts";
import { LostError } from "./lost.ts";

const SEEN = { local: new Uint8Array(32), remote: new Uint8Array(32) };
const { signal } = new AbortController();

class ChannelDouble implements ControlChannel {
  binaryType = "";
  onopen: ControlChannel["onopen"] = null;
  onmessage: ControlChannel["onmessage"] = null;
  onclose: ControlChannel["onclose"] = null;
  readyState = "open";
  readonly sent: ControlMessage[] = [];
  send(bytes: Bytes): void {
    this.sent.push(decodeControl(bytes));
  }
  hear(data: unknown): void {
    this.onmessage!({ data } as MessageEvent);
  }
  say(message: ControlMessage): void {
    this.hear(encodeControl(message).buffer);
  }
}

/** Takes one message, answers it with the next byte, and is done after the second. */
class ConfirmationDouble implements Confirmation {
  readonly taken: number[] = [];
  start(): Promise<Bytes> {
    return Promise.resolve(new Uint8Array([1]));
  }
  receive(message: Bytes): Promise<Bytes | undefined> {
    this.taken.push(message[0]!);
    return Promise.resolve(this.done ? undefined : new Uint8Array([2]));
  }
  get done(): boolean {
    return this.taken.length === 2;
  }
}

function rig(): { channel: ChannelDouble; link: ControlLink; lost: LostError[] } {
  const channel = new ChannelDouble();
  const lost: LostError[] = [];
  return { channel, lost, link: new ControlLink(channel, (error) => lost.push(error)) };
}

const confirm = (byte: number): ControlMessage => ({
  type: "confirm",
  bytes: new Uint8Array([byte]),
});

Deno.test("control link runs the confirmation to its end and leaves the greeting", async () => {
  const { channel, link } = rig();
  const confirmation = new ConfirmationDouble();
  const greeting = {
    type: "hello",
    name: "Gate",
    services: [],
    cameras: [],
    access: { role: "owner" },
    pass: new Uint8Array(16),
  } as const;
  channel.say(confirm(11)); // before ours is ready
  const confirmed = link.confirm(confirmation, { seen: SEEN, signal });
  channel.say(confirm(12));
  channel.say(greeting);
  await confirmed;
  assert.deepEqual(confirmation.taken, [11, 12]);
  assert.deepEqual(channel.sent, [confirm(1), confirm(2)]);
  assert.deepEqual(await link.next(signal), greeting);
});

Deno.test("control link takes nothing before the proof", async () => {
  const { channel, link } = rig();
  channel.say({ type: "people-changed" });
  await assert.rejects(
    link.confirm(new ConfirmationDouble(), { seen: SEEN, signal }),
    (error) => error instanceof LostError && error.code === "protocol",
  );
});

Deno.test("control link hears a refusal instead of a proof", async () => {
  const { channel, link } = rig();
  channel.say({ type: "bye", code: "refused" });
  await assert.rejects(
    link.confirm(new ConfirmationDouble(), { seen: SEEN, signal }),
    (error) => error instanceof LostError && error.code === "ended",
  );
});

Deno.test("control link ends the connection for what it cannot read", () => {
  for (const data of ["text", new ArrayBuffer(0), new Uint8Array([0xff, 0x00]).buffer]) {
    const { channel, lost } = rig();
    channel.hear(data);
    assert.deepEqual(lost.map(({ code }) => code), ["protocol"]);
  }
});

Deno.test("control link ends the connection for a flood", () => {
  const { channel, lost } = rig();
  for (let i = 0; i < 300; i++) channel.say({ type: "pong", id: i });
  assert.equal(lost[0]?.code, "protocol");
});

Deno.test("control link says that the channel closed, and sends nothing more", () => {
  const { channel, link, lost } = rig();
  channel.readyState = "closed";
  channel.onclose!(new Event("close"));
  link.send({ type: "ping", id: 1 });
  assert.equal(lost[0]?.code, "ended");
  assert.deepEqual(channel.sent, []);
});

Deno.test("byeError() leaves every end but the handshake's own to another attempt", () => {
  assert.equal(byeError("refused").code, "ended");
  assert.equal(byeError("shutdown").code, "shutdown");
  assert.equal(byeError("limit").code, "busy");
  assert.equal(byeError("closed").code, "ended");
  assert.equal(byeError("protocol").code, "protocol");
  assert.equal(byeError("expired").code, "grant_expired");
  assert.equal(byeError("revoked").code, "grant_revoked");
  assert.equal(byeError("removed").code, "removed");
  assert.equal(byeError("kicked").code, "kicked");
});
