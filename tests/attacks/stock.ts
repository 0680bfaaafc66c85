/** werift as it comes from npm, as the device of the attacks: there, each of them must succeed. */
import type { Buffer } from "node:buffer";
import { RTCPeerConnection } from "werift";
import type { OpenedSession, Stack } from "./device.ts";
import { loopbackOnly, withoutStun } from "./viewer.ts";

const connections: RTCPeerConnection[] = [];

async function open(offer: string): Promise<OpenedSession> {
  const connection = new RTCPeerConnection(loopbackOnly());
  connections.push(connection);
  const channel = connection.createDataChannel("control", { negotiated: true, id: 0 });
  channel.onMessage.subscribe((message) => channel.send(message as Buffer));
  withoutStun(connection);
  // As answerer werift is the DTLS client whatever the offer says, unless told before.
  if (offer.includes("a=setup:active")) connection.dtlsTransports[0]!.role = "server";
  await connection.setRemoteDescription({ type: "offer", sdp: offer });
  await connection.setLocalDescription(await connection.createAnswer());
  return { answer: connection.localDescription!.sdp, candidates: [] };
}

export const stack: Stack = {
  open,
  states: () => connections.map(({ connectionState }) => connectionState),
  paths: () =>
    connections.map(({ iceTransports }) => {
      const { remoteCandidates, checkList } = iceTransports[0]!.connection as unknown as {
        remoteCandidates: unknown[];
        checkList: unknown[];
      };
      return `${remoteCandidates.length} candidates, ${checkList.length} pairs`;
    }),
  counts: () => ({}),
};
