// What our DTLS sends again when a datagram gets lost, to werift as it comes and to Firefox, which
// takes a record with a number that it has seen for a replay, and then waits for good.
import assert from "node:assert/strict";
import { openDatagramSocket } from "../../src/platform/datagram.ts";
import { records } from "../../src/webrtc/dtls_record.ts";
import { createPeerFactory } from "../../src/webrtc/peer.ts";
import type { OpenSocket } from "../../src/webrtc/udp_ports.ts";
import { Bulk } from "./bulk.ts";
import { firefoxMissing } from "./firefox.ts";
import { FirefoxSession } from "./firefox_offerer.ts";
import { limited } from "./limited.ts";
import { exchange, makePair } from "./werift_offerer.ts";

const FLIGHT = 7; // ServerHello to ServerHelloDone, ChangeCipherSpec, Finished

/** A socket that loses the n-th datagram of our handshake, from 1; and what was sent meanwhile. */
function losing(lost: number) {
  const numbers: string[] = [];
  const resent = Promise.withResolvers<void>(); // more than one flight has left
  let [sent, losses] = [0, 0];
  const openSocket: OpenSocket = async (options) => {
    const socket = await openDatagramSocket(options);
    return {
      port: socket.port,
      get errors() {
        return socket.errors;
      },
      close: () => socket.close(),
      send(bytes, address, port) {
        const [type = 0] = bytes;
        if (type >= 20 && type <= 63) {
          for (const { epoch, sequenceNumber } of records(bytes)) {
            numbers.push(`${epoch} ${sequenceNumber}`);
          }
          if (numbers.length > FLIGHT) resent.resolve();
        }
        if (type >= 20 && type <= 22 && ++sent === lost) losses++;
        else socket.send(bytes, address, port);
      },
    };
  };
  return {
    numbers,
    resent: resent.promise,
    createPeer: createPeerFactory({ openSocket }).createPeer,
    losses: () => losses,
  };
}

Deno.test({
  name: "after the loss of Certificate, no record has a number that was used (RFC 6347 4.1)",
  // werift begins its last flight anew for each ServerHelloDone, and leaves the timers of that.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const { numbers, resent, createPeer, losses } = losing(2);
    const pair = await makePair({ createPeer });
    try {
      await exchange(pair);
      await limited(resent); // whether werift at the other end then gets over it is its own affair
      assert.equal(losses(), 1);
      assert.equal(new Set(numbers).size, numbers.length, `${numbers}`);
    } finally {
      await pair.close();
    }
  },
});

Deno.test({
  name: "Firefox connects whichever datagram of our handshake gets lost",
  ignore: firefoxMissing() !== undefined,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    for (let lost = 1; lost <= FLIGHT; lost++) {
      const { createPeer, losses } = losing(lost);
      await using session = await limited(FirefoxSession.open({ createPeer }));
      await limited(Bulk.open(session));
      assert.equal(losses(), 1, `datagram ${lost}`);
    }
  },
});
