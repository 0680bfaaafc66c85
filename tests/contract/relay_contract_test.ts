// The peer and a real coturn: allocations over UDP, TCP and TLS, and sessions that have no other
// path. What would go past the relay is dropped by the socket that the peer is given.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { openDatagramSocket } from "../../src/platform/datagram.ts";
import { readIceServers } from "../../src/webrtc/ice_servers.ts";
import { createPeerFactory, type PeerFactoryOptions } from "../../src/webrtc/peer.ts";
import { allocate } from "../../src/webrtc/relay.ts";
import { Coturn, coturnMissing } from "./coturn.ts";
import { limited } from "./limited.ts";
import { exchange, makePair } from "./werift_offerer.ts";

const lack = await coturnMissing();
const ignore = lack !== undefined;
if (ignore) Deno.stderr.writeSync(new TextEncoder().encode(`Relays are skipped: ${lack}\n`));

type Transport = "udp" | "tcp" | "tls";

function test(name: string, fn: (coturn: Coturn) => Promise<void>): void {
  Deno.test({
    name,
    ignore,
    // Attempts that others have overtaken are given back to the relay a little later.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      await using coturn = await Coturn.start();
      await limited(fn(coturn));
    },
  });
}

/** A firewall: UDP goes to the ports in `open` and nowhere else. */
function behindFirewall(open: readonly number[]): PeerFactoryOptions["openSocket"] {
  return async (options) => {
    const socket = await openDatagramSocket(options);
    return {
      ...socket,
      port: socket.port,
      errors: 0,
      send: (bytes, address, port) => {
        if (open.includes(port)) socket.send(bytes, address, port);
      },
      close: () => socket.close(),
    };
  };
}

function server(coturn: Coturn, transport: Transport) {
  return { urls: coturn.url(transport), ...coturn.login() };
}

for (const transport of ["udp", "tcp", "tls"] as const) {
  test(`a session whose only path is a relay over ${transport} carries messages`, async (coturn) => {
    const { createPeer } = createPeerFactory({
      openSocket: behindFirewall(transport === "udp" ? [coturn.port] : []),
      relayCa: coturn.certificate,
    });
    const pair = await makePair({ createPeer, iceServers: [server(coturn, transport)] });
    try {
      const channel = pair.peer.channel(0, "control");
      const { promise: opened, resolve: open } = Promise.withResolvers<void>();
      channel.listen({ open, message: (bytes) => channel.send(bytes), low() {}, close() {} });
      await exchange(pair);
      await limited(opened);
      const message = Buffer.alloc(100_000, "relay");
      const back = new Promise<Buffer>((resolve) =>
        pair.channel.onMessage.once((data) => resolve(Buffer.from(data)))
      );
      pair.channel.send(message);
      assert.ok((await limited(back)).equals(message));
      assert.equal(pair.peer.path()?.kind, "relay");
      assert.ok(pair.candidates.some((one) => / typ relay raddr 127\.0\.0\.1 /.test(one)));
    } finally {
      await pair.close();
    }
    // The allocation was given back; coturn keeps it for ten minutes otherwise.
    assert.match(
      await coturn.stop(),
      /refreshed, realm=<porthole.test>, username=<.*>, lifetime=0/,
    );
  });
}

test("several STUN servers and relays are asked, and one that is dead delays none", async (coturn) => {
  const { createPeer } = createPeerFactory({ openSocket: openDatagramSocket });
  const iceServers = [
    { urls: "stun:127.0.0.1:9" },
    { urls: "turn:127.0.0.1:9", ...coturn.login() },
    { urls: coturn.stunUrl },
    server(coturn, "udp"),
  ];
  const pair = await makePair({ createPeer, iceServers });
  try {
    const { promise: relayed, resolve } = Promise.withResolvers<void>();
    const look = setInterval(
      () => pair.candidates.some((one) => one.includes(" typ relay ")) && resolve(),
      20,
    );
    await exchange(pair);
    await limited(relayed).finally(() => clearInterval(look));
    const priorities = pair.candidates.map((one) => one.split(" ")[3]);
    assert.equal(new Set(priorities).size, priorities.length, "RFC 8445 5.1.2.1");
  } finally {
    await pair.close();
  }
});

test("a relay that refuses says so in one line, without the password", async (coturn) => {
  const { credential } = coturn.login("another secret");
  const { username } = coturn.login();
  const { relays } = readIceServers([{ urls: coturn.url(), username, credential }]);
  await assert.rejects(
    allocate(relays[0]!, { openSocket: openDatagramSocket }),
    (error: Error) =>
      /^Cannot use relay .*refuses: 401/.test(error.message) &&
      !error.message.includes(credential),
  );
});

test("a relay over TLS with a certificate that nobody vouches for is not used", async (coturn) => {
  const { relays } = readIceServers([server(coturn, "tls")]);
  await assert.rejects(
    allocate(relays[0]!, { openSocket: openDatagramSocket }),
    /Cannot reach relay 'localhost:\d+'/,
  );
});
