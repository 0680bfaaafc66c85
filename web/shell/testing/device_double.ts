/**
 * A device made of browser parts, for the test of the shell in a real browser: the true handshake and the true session
 * descriptions around Chromium's own peer connection. It stands in a page of its own; `shell_browser_test.ts` relays.
 * It has no mux: device pages are tested end to end, with the agent.
 */
import { type Bytes, fromBase64Url, toBase64Url } from "../../../src/lib/bytes.ts";
import type { ControlMessage } from "../../../src/protocol/control.ts";
import { decodeControl, encodeControl } from "../../../src/protocol/control_codec.ts";
import {
  type MediaAnswer,
  type MediaOffer,
  offerSdp,
  readTransport,
  type TransportFields,
} from "../../../src/protocol/sdp.ts";
import type { ByeCode, Named } from "../../../src/protocol/control.ts";
import { createSigner, generateSigningKey } from "../../../src/trust/ed25519.ts";
import { DeviceHandshake, type SealingKey } from "../../../src/trust/handshake.ts";
import { deviceId, deviceIdText } from "../../../src/trust/key_id.ts";
import { encodePairLink, PAIR_FRAGMENT } from "../../../src/trust/pair_link.ts";
import { signPresence } from "../../../src/trust/presence.ts";
import { generateExchangeKey } from "../../../src/trust/seal.ts";
import { signClaim } from "../../../src/trust/claim.ts";
import { sha256 } from "../../../src/trust/digest.ts";
import { toHex } from "../../../src/lib/bytes.ts";
import { type Entrant, HouseholdDouble, type SessionDouble } from "./household_double.ts";

/** What the test may ask of a double. */
interface DoubleState {
  link: string;
  device: string;
  presence: string;
  sessions: number;
  bulkOpen: number;
  log: string[];
  /** Answers no more pings. */
  mute: boolean;
  /** Refuses the next offers with this reason. */
  refuse: Parameters<DeviceHandshake["refuse"]>[0] | undefined;
  /** Ends the sessions of all guests, as the device does when their grant ends. */
  endGuests(code: ByeCode): void;
  /** Newest entry of the log, as the next greetings of owners tell it. */
  audit: { sequence: number; hash: Bytes };
}

const SERVICES: readonly Named[] = [{ id: "ui", title: "Its page", number: 1 }];
const CAMERAS: readonly Named[] = [
  { id: "front", title: "Front", number: 2 },
  { id: "yard", title: "Yard", number: 3 },
];

const random = (length: number): Bytes => crypto.getRandomValues(new Uint8Array(length));

const signer = await createSigner(await generateSigningKey(false));
const sealing: SealingKey = { ...await generateExchangeKey(false), epoch: 1 };
const bootNonce = random(16);
const claim = await signClaim(signer, { id: random(16), boot: random(8) });
const presence = await signPresence(signer, {
  sealingKey: sealing.publicKey,
  epoch: 1,
  bootNonce,
  sequence: 1,
  minVersion: 1,
});

const link = encodePairLink({ devicePublicKey: signer.publicKey, secret: random(16), claim });
const household = new HouseholdDouble(await deviceId(signer.publicKey), {
  services: SERVICES,
  cameras: CAMERAS,
  pairFragment: PAIR_FRAGMENT + link,
});
const double: DoubleState = {
  link,
  device: deviceIdText(await deviceId(signer.publicKey)),
  presence: toBase64Url(presence),
  sessions: 0,
  bulkOpen: 0,
  log: [],
  mute: false,
  refuse: undefined,
  endGuests(code) {
    for (const session of household.sessions.values()) {
      if (session.entrant.access.role === "guest") session.end(code);
    }
  },
  audit: { sequence: 7, hash: new Uint8Array(32) },
};
Object.assign(globalThis, { double });

const relay = new WebSocket(new URL("/device-double", location.href.replace(/^http/, "ws")));
const peers = new Map<number, PeerDouble>();
relay.onopen = () => relay.send(JSON.stringify({ presence: double.presence }));
relay.onmessage = ({ data }: MessageEvent<string>) => {
  const { peer, sealed } = JSON.parse(data) as { peer: number; sealed: string };
  const known = peers.get(peer) ?? new PeerDouble(peer);
  peers.set(peer, known);
  known.receive(fromBase64Url(sealed));
};

class PeerDouble implements SessionDouble {
  readonly id = toHex(random(16));
  #entrant: Entrant | undefined;
  readonly #number: number;
  readonly #connection = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  readonly #control = this.#connection.createDataChannel("control", { negotiated: true, id: 0 });
  #handshake: DeviceHandshake | undefined;
  #queue: Promise<void> = Promise.resolve();

  constructor(number: number) {
    this.#number = number;
  }

  receive(message: Bytes): void {
    this.#then(() => this.#handshake === undefined ? this.#offer(message) : this.#trickle(message));
  }

  #then(work: () => Promise<void>): void {
    this.#queue = this.#queue.then(work).catch((error: unknown) => {
      double.log.push(String(error));
    });
  }

  #send(sealed: Bytes): void {
    relay.send(JSON.stringify({ peer: this.#number, sealed: toBase64Url(sealed) }));
  }

  async #offer(offer: Bytes): Promise<void> {
    const handshake = await DeviceHandshake.receive({
      offer,
      device: signer,
      sealing: [sealing],
      bootNonces: [bootNonce],
    });
    this.#handshake = handshake;
    if (double.refuse !== undefined) return this.#send(await handshake.refuse(double.refuse));
    const { browserPublicKey: key, label, grants } = handshake;
    const entrant = await household.admit({ key, label, grants });
    if (typeof entrant === "string") return this.#send(await handshake.refuse(entrant));
    this.#entrant = entrant;
    const candidates: string[] = [];
    let answered = false;
    const seal = (candidate: string) =>
      this.#then(async () => this.#send(await handshake.sealCandidate(candidate)));
    this.#connection.onicecandidate = ({ candidate }) => {
      if (!candidate?.candidate) return;
      if (answered) seal(candidate.candidate);
      else candidates.push(candidate.candidate);
    };
    this.#control.binaryType = "arraybuffer";
    this.#control.onopen = () => this.#then(() => this.#confirm());
    this.#control.onmessage = ({ data }: MessageEvent<ArrayBuffer>) =>
      this.#then(() => this.#take(decodeControl(new Uint8Array(data))));
    await this.#describe(handshake.remote, []);
    const transport = readTransport(this.#connection.localDescription!.sdp);
    this.#send(await handshake.answer(transport));
    answered = true;
    candidates.forEach(seal);
  }

  async #trickle(message: Bytes): Promise<void> {
    const candidate = await this.#handshake!.openCandidate(message);
    await this.#connection.addIceCandidate({ candidate, sdpMid: "0" });
  }

  async #describe(transport: TransportFields, media: readonly MediaOffer[]): Promise<void> {
    const sdp = offerSdp({ transport, media });
    await this.#connection.setRemoteDescription({ type: "offer", sdp });
    for (const transceiver of this.#connection.getTransceivers()) {
      const offered = media.find(({ mid }) => mid === transceiver.mid);
      if (!offered?.camera) transceiver.direction = "inactive";
      else {
        transceiver.direction = "sendonly";
        await transceiver.sender.replaceTrack(picture());
      }
    }
    await this.#connection.setLocalDescription();
  }

  async #confirm(): Promise<void> {
    const [certificate] = this.#connection.sctp!.transport.getRemoteCertificates();
    const seen = {
      local: readTransport(this.#connection.localDescription!.sdp).fingerprint,
      remote: await sha256(new Uint8Array(certificate!)),
    };
    const bytes = await this.#handshake!.confirmation().start(seen);
    this.#tell({ type: "confirm", bytes });
  }

  #tell(message: ControlMessage): void {
    if (this.#control.readyState === "open") this.#control.send(encodeControl(message));
  }

  async #take(message: ControlMessage): Promise<void> {
    if (message.type !== "ping" && message.type !== "confirm") double.log.push(message.type);
    switch (message.type) {
      case "confirm": {
        const confirmation = this.#handshake!.confirmation();
        const bytes = await confirmation.receive(message.bytes);
        if (bytes !== undefined) this.#tell({ type: "confirm", bytes });
        if (confirmation.done) this.#greet();
        return;
      }
      case "ping":
        if (!double.mute) this.#tell({ type: "pong", id: message.id });
        return;
      case "camera-start":
        this.#tell({ type: "camera-state", camera: message.camera, state: "live" });
        return this.#tell({
          type: "camera-ready",
          camera: message.camera,
          profileLevelId: "42e01f",
        });
      case "media-offer":
        await this.#describe(this.#handshake!.remote, message.media);
        return this.#tell({
          type: "media-answer",
          id: message.id,
          media: this.#media(message.media),
        });
      case "owner-request": {
        const { id, request } = message;
        this.#tell({ type: "owner-reply", id, reply: await household.answer(request, this) });
        return request.kind === "people" ? undefined : household.changed();
      }
      case "bye":
        return this.#close();
    }
  }

  get entrant(): Entrant {
    return this.#entrant!; // only greeted ones are in the household's list
  }

  end(code: ByeCode): void {
    this.#tell({ type: "bye", code });
    this.#close();
  }

  peopleChanged(): void {
    this.#tell({ type: "people-changed" });
  }

  /** What was said last is still on its way. */
  #close(): void {
    household.sessions.delete(this.id);
    setTimeout(() => this.#connection.close(), 200);
  }

  #greet(): void {
    double.sessions++;
    const bulk = this.#connection.createDataChannel("bulk", { negotiated: true, id: 1 });
    bulk.onopen = () => double.bulkOpen++;
    this.#tell({
      type: "hello",
      name: "Double",
      services: this.entrant.services,
      cameras: this.entrant.cameras,
      access: this.entrant.access,
      pass: random(16),
      ...(this.entrant.access.role === "owner" ? { audit: double.audit } : {}),
    });
    household.sessions.set(this.id, this);
    household.changed();
  }

  /** Fields of the answer that Chromium made. */
  #media(offered: readonly MediaOffer[]): MediaAnswer[] {
    const sections = this.#connection.localDescription!.sdp.split(/^m=/m).slice(2);
    return offered.map(({ mid, camera, codecs }, index): MediaAnswer => {
      const text = sections[index]!;
      const type = Number(/^video \d+ \S+ (\d+)/.exec(text)![1]);
      const codec = codecs.find(({ payloadType }) => payloadType === type);
      if (camera === null || codec === undefined) return { mid, active: false };
      const [, ssrc, rtxSsrc] = /a=ssrc-group:FID (\d+) (\d+)/.exec(text) ??
        [undefined, /a=ssrc:(\d+)/.exec(text)![1]];
      const rtx = rtxSsrc === undefined ? {} : { rtxSsrc: Number(rtxSsrc) };
      return { mid, active: true, codec, ssrc: Number(ssrc), cname: "double", ...rtx };
    });
  }
}

function picture(): MediaStreamTrack {
  const canvas = document.createElement("canvas");
  canvas.width = 320;
  canvas.height = 180;
  const context = canvas.getContext("2d")!;
  let step = 0;
  setInterval(() => {
    context.fillStyle = `hsl(${step++ % 360} 50% 50%)`;
    context.fillRect(0, 0, 320, 180);
  }, 40);
  return canvas.captureStream(25).getVideoTracks()[0]!;
}
