import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type Family, type OpenSocket, type PortUser, SharedPorts } from "./udp_ports.ts";
import { request } from "./testing/requests.ts";

/** Sockets that only exist in the test. */
function network({ without6 = false } = {}) {
  const open = new Map<Family, Parameters<OpenSocket>[0]>();
  const openSocket: OpenSocket = (options) => {
    if (options.family === 6 && without6) return Promise.reject(new Error("no IPv6"));
    if (open.has(options.family)) return Promise.reject(new Error("in use"));
    open.set(options.family, options);
    return Promise.resolve({
      port: options.port,
      errors: 0,
      send() {},
      close: () => Promise.resolve(void open.delete(options.family)),
    });
  };
  const arrive = (datagram: Uint8Array, port: number) =>
    open.get(4)!.receive(datagram, "192.0.2.1", port);
  return { openSocket, open, arrive };
}

function user(ufrag: string, question = ""): PortUser & { readonly got: Uint8Array[] } {
  const got: Uint8Array[] = [];
  return {
    ufrag,
    connection: got,
    got,
    awaits: (transaction) => transaction === question,
    receive: (datagram) => void got.push(datagram),
  };
}

const ANSWER = Buffer.from("010100002112a4420102030405060708090a0b0c", "hex");
const RECORD = Buffer.from([23, 0xfe, 0xfd]);

Deno.test("a shared port finds the session by name, by question and by address", async () => {
  const { openSocket, arrive, open } = network();
  const ports = new SharedPorts(openSocket, { port: 51_820 });
  await ports.start();
  const [one, two] = [user("one"), user("two", "0102030405060708090a0b0c")];
  const [first, second] = [await ports.join(4, one), await ports.join(4, two)];
  assert.deepEqual([first.port, second.port], [51_820, 51_820]);

  arrive(request("two:x"), 1);
  arrive(request("three:x"), 1);
  arrive(ANSWER, 1);
  arrive(RECORD, 1);
  assert.deepEqual([one.got.length, two.got.length], [0, 2]);

  assert.ok(first.claim("192.0.2.1", 1));
  arrive(RECORD, 1);
  assert.deepEqual([one.got.length, two.got.length], [1, 2]);

  await first.close();
  arrive(RECORD, 1);
  arrive(request("one:x"), 1);
  assert.deepEqual([one.got.length, two.got.length], [1, 2]);
  assert.equal(ports.strangers, 4);
  await ports.close();
  assert.equal(open.size, 0);
});

Deno.test("an address stays with its session until that has been silent for half a minute", async () => {
  let now = 0;
  const { openSocket } = network();
  const ports = new SharedPorts(openSocket, { port: 1, now: () => now });
  const [one, two] = [await ports.join(4, user("one")), await ports.join(4, user("two"))];
  assert.ok(one.claim("192.0.2.1", 1));
  now = 20_000;
  assert.ok(one.claim("192.0.2.1", 1));
  now = 45_000;
  assert.ok(!two.claim("192.0.2.1", 1));
  now = 51_000;
  assert.ok(two.claim("192.0.2.1", 1));
  await ports.close();
});

Deno.test("a taken port is named with the remedy, and a machine without IPv6 does without", async () => {
  const { openSocket } = network({ without6: true });
  const ports = new SharedPorts(openSocket, { port: 51_820 });
  await ports.start();
  const second = new SharedPorts(openSocket, { port: 51_820 });
  await assert.rejects(second.start(), /^Error: Cannot use UDP port 51820 .*change 'port'/);
  await assert.rejects(ports.join(6, user("one")), /no IPv6/);
  await ports.close();
});

Deno.test("two paths of one connection may have the same address of the other end", async () => {
  const { openSocket, arrive } = network();
  const ports = new SharedPorts(openSocket, { port: 51_820, now: () => 0 });
  await ports.start();
  const [before, stranger] = [user("one"), user("two")];
  const after = { ...user("three"), connection: before.connection };
  const [old, next, other] = [
    await ports.join(4, before),
    await ports.join(4, after),
    await ports.join(4, stranger),
  ];
  assert.ok(old.claim("192.0.2.1", 1));
  assert.ok(!other.claim("192.0.2.1", 1));
  assert.ok(next.claim("192.0.2.1", 1));
  await old.close();
  arrive(RECORD, 1);
  assert.deepEqual([before.got.length, after.got.length, stranger.got.length], [0, 1, 0]);
  await ports.close();
});
