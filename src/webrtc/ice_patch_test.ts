import assert from "node:assert/strict";
import { RTCPeerConnection } from "werift";
import { Gathering } from "./ice_gather.ts";
import { byPriority, IceControl, loopbackAddresses, usableCandidate, within } from "./ice_patch.ts";
import { checkInternals, connectionInternals, iceInternals } from "./internals.ts";

function connection() {
  const peer = new RTCPeerConnection({ iceServers: [], bundlePolicy: "max-bundle" });
  const sctp = connectionInternals(peer).createSctpTransport();
  return { peer, sctp, ice: sctp.dtlsTransport.iceTransport.connection };
}

Deno.test("no server is asked that was not named, where a bare werift asks Google", async () => {
  const { peer, ice, sctp } = connection();
  assert.deepEqual(ice.stunServer, ["stun.l.google.com", 19302]);
  new Gathering(iceInternals(sctp.dtlsTransport), {
    servers: { reflexive: [], relays: [] },
    openSocket: () => Promise.reject(new Error("no sockets here")),
  });
  assert.equal(ice.stunServer, undefined);
  assert.equal(ice.turnServer, undefined);
  await peer.close();
});

Deno.test("pairs come in the order of RFC 8445 6.1.2.3, which werift gets wrong", () => {
  const pair = (local: number, remote: number) => ({
    localCandidate: { host: "", port: 1, type: "host", priority: local },
    remoteCandidate: { host: "", port: 1, type: "host", priority: remote },
  });
  const relay = pair(2_130_706_431, 16_777_215); // the lower one decides, however high the other is
  const direct = pair(1_694_498_815, 1_694_498_815);
  const better = pair(2_130_706_431, 1_694_498_815);
  assert.deepEqual([relay, direct, better].sort(byPriority), [better, direct, relay]);
});

Deno.test("credentials are new for each connection and as long as RFC 8445 5.3 wants them", async () => {
  const [one, two] = [connection(), connection()];
  for (const { peer, sctp } of [one, two]) new IceControl(peer, sctp.dtlsTransport);
  assert.match(one.ice.localUsername, /^[A-Za-z0-9+/]{8}$/);
  assert.match(one.ice.localPassword, /^[A-Za-z0-9+/]{32}$/);
  assert.notEqual(one.ice.localPassword, two.ice.localPassword);
  await Promise.all([one.peer.close(), two.peer.close()]);
});

Deno.test("a werift without one of the members that we use is refused by its name", async () => {
  const { peer, sctp, ice } = connection();
  checkInternals(peer, sctp);
  Reflect.set(ice, "schedulingChecks", undefined);
  assert.throws(() => checkInternals(peer, sctp), /schedulingChecks is undefined/);
  await peer.close();
});

const CANDIDATES: Record<string, boolean> = {
  "candidate:1 1 udp 1 192.0.2.1 5000 typ host": true,
  "candidate:1 1 UDP 1 2001:db8::1 5000 typ host": true,
  "candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype active": false,
  "candidate:1 1 udp 1 9b36eaac-bb2e.local 5000 typ host": false,
  "candidate:1 1 udp 1 host.example 5000 typ host": false,
  "candidate:1 1 udp": false,
  "": false,
};

for (const [candidate, usable] of Object.entries(CANDIDATES)) {
  Deno.test(`candidate "${candidate}" is ${usable ? "used" : "dropped"}`, () => {
    assert.equal(usableCandidate(candidate), usable);
  });
}

Deno.test("loopback addresses are those of this machine", () => {
  assert.ok(loopbackAddresses().includes("127.0.0.1"));
});

Deno.test("within ends with the work or with the limit, and leaves no timer", async () => {
  await within(Promise.resolve(), 60_000);
  await within(new Promise(() => {}), 1);
});
