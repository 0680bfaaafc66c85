/** The device's client against the real rendezvous: what each tests alone against an imitation. */
import assert from "node:assert/strict";
import { RendezvousClient } from "../../src/control/rendezvous_client.ts";
import { type Bytes, toBase64Url, toHex, utf8 } from "../../src/lib/bytes.ts";
import { SILENT } from "../../src/lib/log.ts";
import { Fixture, type Identity, newIdentity } from "../../src/rendezvous/fixture.ts";

interface Device extends AsyncDisposable {
  readonly client: RendezvousClient;
  readonly mail: string[];
  /** Resolves at the next registration or loss. */
  reached(kind: "registered" | "waiting"): Promise<void>;
}

function startDevice(port: number, identity: Identity): Device {
  const [abort, mail] = [new AbortController(), [] as string[]];
  const waiting = new Map<string, () => void>();
  const client = new RendezvousClient({
    url: `ws://127.0.0.1:${port}`,
    signer: {
      publicKey: identity.publicKey,
      async sign(message: Bytes) {
        return new Uint8Array(
          await crypto.subtle.sign("Ed25519", identity.keys.privateKey, message),
        );
      },
    },
    presence: () => Promise.resolve(utf8("m0")),
    people: () => Promise.resolve(new Uint8Array(8)),
    mail: {
      receive(peer, sealed) {
        mail.push(`${peer} ${toHex(sealed)}`);
        client.send(peer, sealed.toReversed());
      },
      gone: (peer) => mail.push(`${peer} gone`),
    },
    log: SILENT,
    onState: ({ kind }) => waiting.get(kind)?.(),
    limits: { retryFloorMs: 1, retryCeilingMs: 1 },
  });
  const running = client.run(abort.signal);
  return {
    client,
    mail,
    reached: (kind) =>
      client.state.kind === kind
        ? Promise.resolve()
        : new Promise((resolve) => waiting.set(kind, resolve)),
    async [Symbol.asyncDispose]() {
      abort.abort();
      await running;
    },
  };
}

Deno.test("a device and a browser exchange sealed messages over the rendezvous", async () => {
  await using fixture = await new Fixture().start();
  const identity = await newIdentity();
  await using device = startDevice(fixture.port, identity);
  await device.reached("registered");
  assert.deepEqual(device.client.iceServers, [{ urls: "stun:127.0.0.1:3478" }]);
  const browser = await fixture.browser();
  const found = await browser.ask({ type: "find", device: identity.device });
  assert.equal(found.presence, toBase64Url(utf8("m0")));
  const sealed = toBase64Url(new Uint8Array([1, 2, 3]));
  const answer = await browser.ask({ type: "send", device: identity.device, sealed });
  assert.deepEqual(answer, {
    type: "deliver",
    device: identity.device,
    sealed: toBase64Url(new Uint8Array([3, 2, 1])),
  });
  assert.deepEqual(device.mail, ["1 010203"]);
});

Deno.test("a copy of a device's key does not get in while the device lives, and does when it left", async () => {
  await using fixture = await new Fixture().start();
  const identity = await newIdentity();
  const device = startDevice(fixture.port, identity);
  await device.reached("registered");
  await using copy = startDevice(fixture.port, identity);
  await copy.reached("waiting");
  const { state } = copy.client;
  assert.equal(state.kind === "waiting" && state.reason, "already_registered");
  await device[Symbol.asyncDispose]();
  await copy.reached("registered");
});
