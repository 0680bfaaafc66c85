import assert from "node:assert/strict";
import { type DatagramOptions, type DatagramSocket, openDatagramSocket } from "./datagram.ts";

/** A socket, and what came to it. */
async function open(options: Partial<DatagramOptions> = {}) {
  const { promise, resolve } = Promise.withResolvers<[number[], string, number]>();
  const socket = await openDatagramSocket({
    family: 4,
    port: 0,
    receive: (bytes, address, port) => resolve([[...bytes], address, port]),
    ...options,
  });
  return { socket, first: promise };
}

/** The second way, which Node takes, is taken by Deno without its own API. */
async function withoutDenoSockets<T>(work: () => Promise<T>): Promise<T> {
  const { listenDatagram } = Deno;
  Reflect.deleteProperty(Deno, "listenDatagram");
  try {
    return await work();
  } finally {
    Object.defineProperty(Deno, "listenDatagram", {
      value: listenDatagram,
      configurable: true,
      writable: true,
      enumerable: true,
    });
  }
}

const WAYS = {
  "Deno's sockets": <T>(work: () => Promise<T>) => work(),
  "node:dgram": withoutDenoSockets,
};

for (const [way, run] of Object.entries(WAYS)) {
  for (const [family, loopback] of [[4, "127.0.0.1"], [6, "::1"]] as const) {
    Deno.test(`${way}: a datagram arrives with its sender, IPv${family}`, () =>
      run(async () => {
        const receiver = await open({ family });
        const sender = await open({ family });
        sender.socket.send(Uint8Array.of(1, 2, 3), loopback, receiver.socket.port);
        assert.deepEqual(await receiver.first, [[1, 2, 3], loopback, sender.socket.port]);
        await Promise.all([receiver.socket.close(), sender.socket.close()]);
      }));
  }

  Deno.test(`${way}: both families share a fixed port, and a taken one is refused`, () =>
    run(async () => {
      const four = await open();
      const { port } = four.socket;
      const six = await open({ family: 6, port });
      assert.equal(six.socket.port, port);
      await assert.rejects(open({ port }), /in use|EADDRINUSE/i);
      await Promise.all([four.socket.close(), six.socket.close()]);
    }));

  Deno.test(`${way}: an address of the other family and a closed socket cost nothing`, () =>
    run(async () => {
      const { socket } = await open();
      socket.send(Uint8Array.of(1), "::1", 9);
      socket.send(Uint8Array.of(1), "127.0.0.1", 9);
      await socket.close();
      await socket.close();
      socket.send(Uint8Array.of(1), "127.0.0.1", 9);
    }));
}

Deno.test("the tests above have seen both ways", async () => {
  const sockets: DatagramSocket[] = [];
  const opened = async () => {
    const { socket } = await open();
    sockets.push(socket);
    return socket.constructor.name;
  };
  assert.notEqual(await opened(), await withoutDenoSockets(opened));
  await Promise.all(sockets.map((socket) => socket.close()));
});
