// The page of the peer contract test: a browser's end, bundled together with the description code
// under test.
import { BlockDigest } from "./block_digest.ts";
import { answerSdp, isCandidate, readMedia, readTransport } from "../../src/protocol/sdp.ts";

const toHex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const fromHex = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
const digest = async (bytes) => toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));

const connection = new RTCPeerConnection({ iceServers: [] });
const channels = new Map();
const opened = new Map();
let transport;

function channel(id, label) {
  const created = connection.createDataChannel(label, { negotiated: true, id, ordered: true });
  created.binaryType = "arraybuffer";
  channels.set(id, created);
  opened.set(id, new Promise((resolve) => created.onopen = () => resolve(performance.now())));
}

async function offer() {
  await connection.setLocalDescription(await connection.createOffer());
  const { sdp } = connection.localDescription;
  const fields = readTransport(sdp);
  return {
    transport: { ...fields, fingerprint: toHex(fields.fingerprint) },
    media: readMedia(sdp),
  };
}

globalThis.page = {
  start() {
    channel(0, "control");
    connection.onicecandidate = ({ candidate }) => {
      if (candidate?.candidate && isCandidate(candidate.candidate)) {
        globalThis.sendCandidate(candidate.candidate);
      }
    };
    return offer();
  },
  offer,
  async accept(fields, media) {
    transport ??= fields && { ...fields, fingerprint: fromHex(fields.fingerprint) };
    const sdp = answerSdp({ transport, media });
    globalThis.acceptedAt = performance.now();
    await connection.setRemoteDescription({ type: "answer", sdp });
  },
  async addCandidate(candidate) {
    await connection.addIceCandidate({ candidate, sdpMLineIndex: 0 });
  },
  channel,
  async opened(id) {
    return await opened.get(id) - globalThis.acceptedAt;
  },
  echo(id) {
    const target = channels.get(id);
    target.onmessage = ({ data }) => target.send(data);
  },
  /** Receives `total` bytes; resolves to their digest and the time they took. */
  receive(id, total) {
    const bytes = new Uint8Array(total);
    let length = 0;
    let start = 0;
    return new Promise((resolve) => {
      channels.get(id).onmessage = ({ data }) => {
        start ||= performance.now();
        bytes.set(new Uint8Array(data), length);
        length += data.byteLength;
        if (length < total) return;
        const ms = performance.now() - start;
        resolve(digest(bytes).then((sha256) => ({ sha256, ms })));
      };
    });
  },
  /** Sends `total` bytes in messages of `size`; resolves to their digest. */
  async send(id, total, size) {
    const bytes = new Uint8Array(total);
    for (let i = 0; i < total; i += 65_536) {
      crypto.getRandomValues(bytes.subarray(i, Math.min(total, i + 65_536)));
    }
    const target = channels.get(id);
    target.bufferedAmountLowThreshold = 262_144;
    for (let at = 0; at < total; at += size) {
      if (target.bufferedAmount > 1_048_576) {
        await new Promise((resolve) => target.onbufferedamountlow = resolve);
      }
      target.send(bytes.subarray(at, Math.min(total, at + size)));
    }
    return digest(bytes);
  },
  /** Receives `total` bytes of whatever amount, without keeping them; resolves to their block digest. */
  swallow(id, total) {
    const digest = new BlockDigest();
    let length = 0;
    return new Promise((resolve) => {
      channels.get(id).onmessage = ({ data }) => {
        digest.add(new Uint8Array(data));
        length += data.byteLength;
        if (length >= total) resolve(digest.hex());
      };
    });
  },
  /** Sends `total` random bytes of whatever amount; resolves to their block digest. */
  async pour(id, total, size) {
    const digest = new BlockDigest();
    const target = channels.get(id);
    target.bufferedAmountLowThreshold = 262_144;
    for (let at = 0; at < total; at += size) {
      const message = crypto.getRandomValues(new Uint8Array(Math.min(size, total - at)));
      digest.add(message);
      await digest.ready();
      if (target.bufferedAmount > 1_048_576) {
        await new Promise((resolve) => target.onbufferedamountlow = resolve);
      }
      target.send(message);
    }
    return digest.hex();
  },
  addVideo() {
    const { receiver } = connection.addTransceiver("video", { direction: "recvonly" });
    const video = document.createElement("video");
    video.muted = true;
    video.autoplay = true;
    video.srcObject = new MediaStream([receiver.track]);
    document.body.append(video);
  },
  setDirection(mid, direction) {
    connection.getTransceivers().find((one) => one.mid === mid).direction = direction;
  },
  /** Statistics of the section: what was decoded, and how often something was asked for again. */
  async decoded(mid) {
    const { receiver } = connection.getTransceivers().find((one) => one.mid === mid);
    for (const report of (await receiver.getStats()).values()) {
      if (report.type !== "inbound-rtp") continue;
      const { framesDecoded, frameWidth, frameHeight, packetsLost } = report;
      return { framesDecoded, frameWidth, frameHeight, packetsLost };
    }
    return { framesDecoded: 0 };
  },
  state: () => connection.connectionState,
  sections: () => connection.currentRemoteDescription.sdp,
  close: () => connection.close(),
};
