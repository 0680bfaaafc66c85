/** The browser's `RTCPeerConnection`, made ready: fresh certificate, channel 0, and its failures as one callback. */
import type { Bytes } from "../../src/lib/bytes.ts";
import { readTransport } from "../../src/protocol/sdp.ts";
import { ControlLink } from "./control_link.ts";
import { LostError } from "./lost.ts";

/** A peer connection with its control channel; its local description is not set yet. */
export interface PreparedPeer {
  readonly peer: RTCPeerConnection;
  readonly control: ControlLink;
  /** SHA-256 of the certificate that we show. */
  localFingerprint(): Bytes;
}

/**
 * Makes a peer connection with a certificate of its own (security.md 1.4: fresh for each session). `broken` is told when
 * ICE doubts its path, and whether it has given it up: either may pass.
 */
export async function createPeer(
  { lost, broken }: {
    lost: (error: LostError) => void;
    broken: (hasFailed: boolean) => void;
  },
): Promise<PreparedPeer> {
  const certificate = await RTCPeerConnection.generateCertificate(
    { name: "ECDSA", namedCurve: "P-256" } as AlgorithmIdentifier,
  );
  const peer = new RTCPeerConnection({ certificates: [certificate], bundlePolicy: "max-bundle" });
  const channel = peer.createDataChannel("control", { negotiated: true, id: 0 });
  peer.oniceconnectionstatechange = () => {
    const { iceConnectionState: state } = peer;
    if (state === "disconnected" || state === "failed") broken(state === "failed");
  };
  peer.onconnectionstatechange = () => {
    // DTLS itself, which no other path can mend.
    if (peer.sctp?.transport?.state === "failed") {
      lost(new LostError("no_path", "The connection to the device is gone"));
    } else if (peer.connectionState === "failed") broken(true);
  };
  return {
    peer,
    control: new ControlLink(channel, lost),
    localFingerprint: () => readTransport(peer.localDescription?.sdp ?? "").fingerprint,
  };
}

/**
 * SHA-256 of the certificate that the other end showed in the DTLS handshake. Firefox does not hand it out; there the
 * handshake itself has compared it with `signed`, the only fingerprint in the description that we wrote.
 */
export async function seenFingerprint(peer: RTCPeerConnection, signed: Bytes): Promise<Bytes> {
  const transport = peer.sctp?.transport;
  if (transport?.getRemoteCertificates === undefined) return signed;
  const [certificate] = transport.getRemoteCertificates();
  if (certificate === undefined) {
    throw new LostError("internal", "Cannot see the device's certificate: no DTLS handshake yet");
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", certificate));
}
