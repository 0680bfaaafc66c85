/**
 * Our stack as the device of the attacks, with a port for each session, or with one for all of them
 * ("ours on one port"), where the attacker's datagrams reach the socket of everybody.
 */
import { createSocket } from "node:dgram";
import { isIPv4 } from "node:net";
import process from "node:process";
import { openDatagramSocket } from "../../src/platform/datagram.ts";
import { offerSdp, readTransport } from "../../src/protocol/sdp.ts";
import { createPeerFactory, type PeerState, type WeriftPeer } from "../../src/webrtc/peer.ts";
import type { OpenedSession, Stack } from "./device.ts";

/** How long the candidate on loopback may take, in ms. */
const CANDIDATE_LIMIT_MS = 5000;

const port = process.argv[2] === "ours on one port" ? await freePort() : 0;
const factory = createPeerFactory({ openSocket: openDatagramSocket, port });
await factory.start();
const states: PeerState[] = [];
const peers: WeriftPeer[] = [];

async function open(offer: string): Promise<OpenedSession> {
  const index = states.push("connecting") - 1;
  const candidates: string[] = [];
  const { promise: reachable, resolve } = Promise.withResolvers<void>();
  const peer = await factory.createPeer({
    iceServers: [],
    handlers: {
      candidate(candidate) {
        // All addresses share the port, and loopback's own candidate comes late.
        const fields = candidate.split(" ");
        if (!isIPv4(fields[4]!) || candidates.length > 0) return;
        candidates.push(fields.with(4, "127.0.0.1").join(" "));
        resolve();
      },
      state(state) {
        states[index] = state;
        if (state === "failed" || state === "closed") void peer.close();
      },
      keyFrameWanted() {},
    },
  });
  peers.push(peer);
  const channel = peer.channel(0, "control");
  channel.listen({
    open() {},
    message(bytes) {
      if (channel.bufferedAmount < 1 << 20) channel.send(bytes);
    },
    low() {},
    close() {},
  });
  const answer = await peer.answer(offerSdp({ transport: readTransport(offer), media: [] }));
  const timer = setTimeout(resolve, CANDIDATE_LIMIT_MS);
  await reachable;
  clearTimeout(timer);
  return { answer, candidates };
}

export const stack: Stack = {
  open,
  states: () => states,
  paths: () => [], // private; what a stranger is answered tells enough
  counts() {
    const sum: Record<string, number> = {};
    for (const { stats } of peers) {
      for (const [name, count] of Object.entries(stats)) sum[name] = (sum[name] ?? 0) + count;
    }
    return sum;
  },
};

/** A port that nobody had a moment ago. */
async function freePort(): Promise<number> {
  const socket = createSocket("udp4");
  await new Promise<void>((bound) => socket.bind(0, () => bound()));
  const { port } = socket.address();
  await new Promise<void>((closed) => socket.close(() => closed()));
  return port;
}
