/** Connections for tests, with the sockets that the program uses. */
import { openDatagramSocket } from "../../src/platform/datagram.ts";
import { createPeerFactory } from "../../src/webrtc/peer.ts";

/** A port of its own for each connection. */
export const { createPeer } = createPeerFactory({ openSocket: openDatagramSocket });
