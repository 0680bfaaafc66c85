import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { RelayStream } from "./relay_stream.ts";

const STUN = Buffer.concat([
  Buffer.from("010300082112a442000000000000000000000001", "hex"),
  Buffer.from("0006000461616161", "hex"),
]);
const CHANNEL = Buffer.from("40000005aabbccddee000000", "hex"); // five bytes, and padding

/** A server whose only connection is `socket`. */
async function server() {
  const listening = createServer().listen(0, "127.0.0.1");
  await once(listening, "listening");
  const { port } = listening.address() as AddressInfo;
  const connected = once(listening, "connection") as Promise<[Socket]>;
  const stream = await RelayStream.open(["127.0.0.1", port], { tls: false, limitMs: 10_000 });
  const [socket] = await connected;
  socket.on("error", () => {});
  const close = async () => {
    await stream.close();
    socket.destroy();
    await new Promise((resolve) => listening.close(resolve));
  };
  return { stream, socket, close };
}

Deno.test("messages are found in the stream, however it is cut", async () => {
  const { stream, socket, close } = await server();
  const sent = Buffer.concat([STUN, CHANNEL, CHANNEL, STUN]);
  const found: string[] = [];
  const all = new Promise<void>((resolve) => {
    stream.onData = (message) => {
      if (found.push(message.toString("hex")) === 4) resolve();
    };
  });
  socket.setNoDelay(true);
  for (const byte of sent) {
    await new Promise((resolve) => socket.write(Buffer.from([byte]), resolve));
  }
  await all;
  assert.deepEqual(found, [STUN, CHANNEL, CHANNEL, STUN].map((one) => one.toString("hex")));
  await close();
});

for (
  const [what, bytes] of [
    ["another service", Buffer.from("SSH-2.0-OpenSSH_9.2\r\n")],
    ["a length that STUN cannot have", Buffer.from("0103000321 12a442".replace(" ", ""), "hex")],
    ["noise", Buffer.alloc(100_000, 0xff)],
  ] as const
) {
  Deno.test(`a stream that is no TURN ends, and nothing of it is kept: ${what}`, async () => {
    const { stream, socket, close } = await server();
    stream.onData = () => assert.fail("a message was found");
    const ended = new Promise((resolve) => socket.once("close", resolve));
    socket.write(bytes);
    await ended;
    await close();
    assert.ok(stream.closed);
  });
}

Deno.test("a server that is not there is named, and one that is silent waited for no longer than the limit", async () => {
  const listening = createServer().listen(0, "127.0.0.1");
  await once(listening, "listening");
  const { port } = listening.address() as AddressInfo;
  const accepted = once(listening, "connection") as Promise<[Socket]>;
  await assert.rejects(
    RelayStream.open(["127.0.0.1", port], { tls: true, limitMs: 100 }), // accepts, and says nothing
    /^Error: Cannot reach relay '127.0.0.1:\d+': no connection in 100 ms$/,
  );
  const [socket] = await accepted;
  socket.on("error", () => {}).destroy();
  await new Promise((resolve) => listening.close(resolve));
  await assert.rejects(
    RelayStream.open(["127.0.0.1", port], { tls: false, limitMs: 10_000 }),
    /ECONNREFUSED/,
  );
});
