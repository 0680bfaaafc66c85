import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { openServiceManager, watchdogMs } from "./service_manager.ts";

/** A file in a folder of its own: what systemd listens on. */
class ManagerDouble implements Disposable {
  readonly #folder = Deno.makeTempDirSync();
  readonly path = `${this.#folder}/notify`;
  readonly #socket = Deno.listenDatagram({ transport: "unixpacket", path: this.path });

  async next(): Promise<string> {
    const [bytes] = await this.#socket.receive();
    return new TextDecoder().decode(bytes);
  }

  [Symbol.dispose](): void {
    this.#socket.close();
    Deno.removeSync(this.#folder, { recursive: true });
  }
}

Deno.test("systemd is told of the start, the end, and between them of life, in this order", async () => {
  using systemd = new ManagerDouble();
  const manager = openServiceManager({ NOTIFY_SOCKET: systemd.path, WATCHDOG_USEC: "30000" });
  manager.ready("2 services\nSTOPPING=1", () => true);
  assert.equal(await systemd.next(), "READY=1\nSTATUS=2 services STOPPING=1\n");
  assert.equal(await systemd.next(), "WATCHDOG=1\n");
  assert.equal(await systemd.next(), "WATCHDOG=1\n");
  manager.stopping();
  const left = [await systemd.next(), await systemd.next()];
  assert.ok(left.includes("STOPPING=1\n"), String(left));
  await manager.close();
});

Deno.test("a socket in the abstract namespace is reached", async () => {
  const name = `porthole-test-${crypto.randomUUID()}`;
  const socket = Deno.listenDatagram({ transport: "unixpacket", path: `\0${name}` });
  const manager = openServiceManager({ NOTIFY_SOCKET: `@${name}` });
  manager.ready("", () => true);
  const [bytes] = await socket.receive();
  assert.equal(new TextDecoder().decode(bytes), "READY=1\nSTATUS=\n");
  await manager.close();
  socket.close();
});

Deno.test("a daemon that is not well gives no sign of life", async () => {
  const told: string[] = [];
  const asked = Promise.withResolvers<void>();
  let looks = 0;
  const isHealthy = () => {
    if (++looks === 5) asked.resolve();
    return looks === 2;
  };
  const manager = openServiceManager({ WATCHDOG_USEC: "3000" }, (text) => {
    told.push(text);
    return Promise.resolve();
  });
  manager.ready("", isHealthy);
  await asked.promise;
  await manager.close();
  assert.deepEqual(told, ["READY=1\nSTATUS=\n", "WATCHDOG=1\n"]);
});

Deno.test("signs of life do not pile up behind a manager that does not listen", async () => {
  const told: string[] = [];
  const looked = Promise.withResolvers<void>();
  const hang = Promise.withResolvers<void>();
  let looks = 0;
  const manager = openServiceManager({ WATCHDOG_USEC: "3000" }, (text) => {
    told.push(text);
    return text.startsWith("READY") ? Promise.resolve() : hang.promise;
  });
  manager.ready("", () => {
    if (++looks === 10) looked.resolve();
    return true;
  });
  await looked.promise;
  assert.equal(told.filter((text) => text === "WATCHDOG=1\n").length, 1);
  hang.resolve();
  await manager.close();
});

Deno.test("nothing is told where nobody listens, and that is no error", async () => {
  for (const env of [{}, { NOTIFY_SOCKET: "" }, { NOTIFY_SOCKET: "/nowhere/notify" }]) {
    const manager = openServiceManager({ ...env, WATCHDOG_USEC: "9000000" });
    manager.ready("x", () => true);
    manager.stopping();
    await manager.close();
  }
});

Deno.test("the watchdog is this process's, and a time", () => {
  assert.equal(watchdogMs({ WATCHDOG_USEC: "30000000" }), 30_000);
  assert.equal(watchdogMs({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "7" }, 7), 30_000);
  assert.equal(watchdogMs({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "8" }, 7), undefined);
  for (const period of ["0", "", "-1", "1e9", "soon", "9".repeat(16)]) {
    assert.equal(watchdogMs({ WATCHDOG_USEC: period }), undefined, period);
  }
});

const hasProgram = await new Promise((resolve) =>
  execFile("systemd-notify", ["--version"], (error) => resolve(error === null))
);
if (!hasProgram) {
  Deno.stderr.writeSync(new TextEncoder().encode("Node's way is skipped: no systemd-notify\n"));
}

Deno.test({
  name: "the words that Node hands to systemd-notify reach the socket",
  ignore: !hasProgram,
  fn: async () => {
    using systemd = new ManagerDouble();
    const env = { ...Deno.env.toObject(), NOTIFY_SOCKET: systemd.path };
    const child = execFile("systemd-notify", ["READY=1", "STATUS=two words"], { env });
    const ended = once(child, "close");
    assert.match(await systemd.next(), /^READY=1\nSTATUS=two words/);
    child.kill(); // newer ones wait until the manager has closed a barrier
    await ended;
  },
});
