// A restart of ICE as the agent drives it, with a werift connection as the browser. What a real one does with a real
// network is in tests/e2e/changed_network_test.ts.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { Candidate, Connection } from "werift";
import { openDatagramSocket } from "../../src/platform/datagram.ts";
import {
  answerSdp,
  offerSdp,
  readTransport,
  type TransportFields,
} from "../../src/protocol/sdp.ts";
import type { IceInternals } from "../../src/webrtc/internals.ts";
import { createPeerFactory } from "../../src/webrtc/peer.ts";
import { limited } from "./limited.ts";
import { makePair, type Pair } from "./werift_offerer.ts";

/** Nobody has it at the moment. */
function freeUdpPort(): number {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: 0 });
  const { port } = socket.addr as Deno.NetAddr;
  socket.close();
  return port;
}

interface Joined {
  readonly pair: Pair;
  /** The peer's transport, as it answered first. */
  readonly remote: TransportFields;
  /** The offerer's own paths beside its first, to be closed. */
  readonly paths: Connection[];
  /** Sends a message each way and waits for it. */
  exchange(): Promise<void>;
}

/** Both ends, connected. */
async function join(pair: Pair, paths: Connection[]): Promise<Joined> {
  const channel = pair.peer.channel(0, "control");
  const arrivals: ((bytes: Uint8Array) => void)[] = [];
  const opened = Promise.withResolvers<void>();
  channel.listen({
    open: () => opened.resolve(),
    message: (bytes) => arrivals.shift()?.(bytes),
    low() {},
    close() {},
  });
  pair.offerer.onIceCandidate.subscribe((candidate) => {
    if (candidate?.candidate) pair.peer.addCandidate(candidate.candidate);
  });
  await pair.offerer.setLocalDescription(await pair.offerer.createOffer());
  const transport = readTransport(pair.offerer.localDescription!.sdp);
  const remote = readTransport(await pair.peer.answer(offerSdp({ transport, media: [] })));
  const sdp = answerSdp({ transport: remote, media: [] });
  await pair.offerer.setRemoteDescription({ type: "answer", sdp });
  await opened.promise;
  const exchange = async () => {
    const message = randomBytes(30_000);
    const there = new Promise<Uint8Array>((resolve) => arrivals.push(resolve));
    const back = new Promise<Uint8Array>((resolve) => {
      const { unSubscribe } = pair.channel.onMessage.subscribe((bytes) => {
        unSubscribe();
        resolve(new Uint8Array(bytes as Buffer));
      });
    });
    pair.channel.send(message);
    channel.send(new Uint8Array(message));
    assert.deepEqual(await there, new Uint8Array(message));
    assert.deepEqual(await back, new Uint8Array(message));
  };
  return { pair, remote, exchange, paths };
}

/**
 * As the browser does it: new credentials there and back, then candidates. werift does not restart a connection that is
 * up, so its end of the new path is an ICE agent of its own. Resolves when both ends have gone over.
 */
async function restart({ pair: { offerer, peer }, remote, paths }: Joined): Promise<void> {
  const before = peer.stats.restarts;
  const first = offerer.iceTransports[0]!.connection as unknown as IceInternals;
  const path = new Connection(true, {
    additionalHostAddresses: ["127.0.0.1"],
    interfaceAddresses: { udp4: "127.0.0.1" },
    useIpv6: false,
  });
  paths.push(path);
  path.stunServer = undefined;
  const own = { ufrag: path.localUsername, pwd: path.localPassword };
  const local = await peer.restart(own, (candidate) => {
    path.addRemoteCandidate(Candidate.fromSdp(candidate.replace("candidate:", "")));
  });
  assert.notEqual(local.ufrag, remote.ufrag);
  assert.ok(local.ufrag.length >= 8 && local.pwd.length >= 32);
  path.setRemoteParams({ iceLite: false, usernameFragment: local.ufrag, password: local.pwd });
  path.onIceCandidate.subscribe((candidate) => {
    peer.addRestartCandidate(`candidate:${candidate!.toSdp()}`);
  });
  path.onData.subscribe((data) => first.onData.execute(data));
  await path.gatherCandidates();
  await path.connect();
  first.send = (data) => path.send(data);
  while (peer.stats.restarts === before) await new Promise((resolve) => setTimeout(resolve, 10));
}

function test(name: string, fn: (joined: Joined) => Promise<void>): void {
  Deno.test(name, async () => {
    const pair = await makePair();
    const paths: Connection[] = [];
    try {
      await limited((async () => await fn(await join(pair, paths)))());
    } finally {
      for (const path of paths) await path.close();
      await pair.close();
    }
  });
}

test("a restart takes another path, and channels go on, also when the old path is gone", async (joined) => {
  const { peer } = joined.pair;
  await joined.exchange();
  const heard = peer.seenFingerprint();
  await restart(joined);
  await joined.exchange();
  const { bytesSent, bytesReceived } = peer.counts;
  await new Promise((resolve) => setTimeout(resolve, 3200)); // the old path's sockets are closed by then
  await joined.exchange();
  // Messages of 30 kB: one on the first path, two on the next; none is forgotten with its path.
  assert.ok(peer.counts.bytesSent >= bytesSent + 30_000 && bytesSent >= 60_000);
  assert.ok(peer.counts.bytesReceived >= bytesReceived + 30_000 && bytesReceived >= 60_000);
  assert.equal(peer.stats.restarts, 1);
  assert.equal(peer.seenFingerprint(), heard);
  assert.deepEqual(joined.pair.states.filter((state) => state !== "connecting"), ["connected"]);
});

Deno.test("a connection restarts again and again, on one port for all", async () => {
  const port = freeUdpPort();
  const factory = createPeerFactory({ openSocket: openDatagramSocket, port });
  await factory.start();
  const pair = await makePair({ createPeer: factory.createPeer });
  const paths: Connection[] = [];
  try {
    await limited((async () => {
      const joined = await join(pair, paths);
      for (let times = 1; times <= 3; times++) {
        await restart(joined);
        await joined.exchange();
        assert.equal(pair.peer.stats.restarts, times);
        assert.equal(factory.totals.counts.restarts, times);
      }
    })());
  } finally {
    for (const path of paths) await path.close();
    await pair.close();
    await factory.close();
  }
});

test("a restart that nobody answers changes nothing, and the next one counts", async (joined) => {
  const { peer } = joined.pair;
  await peer.restart({ ufrag: "nobody", pwd: "n".repeat(24) }, () => {});
  await peer.addRestartCandidate("candidate:1 1 udp 2130706431 127.0.0.1 9 typ host");
  await peer.addRestartCandidate("candidate:nonsense");
  await joined.exchange();
  assert.equal(peer.stats.restarts, 0);
  await restart(joined);
  await joined.exchange();
});

test("a connection that is closed while it searches lets go of everything", async ({ pair: { peer } }) => {
  await peer.restart({ ufrag: "nobody", pwd: "n".repeat(24) }, () => {});
  await peer.close();
  await assert.rejects(peer.restart({ ufrag: "nobody", pwd: "n".repeat(24) }, () => {}), /closed/);
});
