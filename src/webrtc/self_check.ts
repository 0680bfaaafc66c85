/**
 * Whether our corrections hold in the werift that is here: by traffic, not by looking. A connection
 * to ourselves must carry a message, a forged handshake and a stranger must be refused; the agent
 * serves nobody otherwise. It also has the compiler see the code before the first browser comes.
 *
 * The other ends are werift as it comes, on 127.0.0.1.
 */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { isIPv4 } from "node:net";
import { createSelfSignedCertificate, type RTCDataChannel, RTCPeerConnection } from "werift";
import { within } from "./ice_patch.ts";
import { dtlsInternals, ECDSA_SHA256, iceInternals, SECP256R1 } from "./internals.ts";
import type { PeerHandlers, PeerState, WeriftPeer } from "./peer.ts";
import type { OpenSocket } from "./udp_ports.ts";

const LOOPBACK = "127.0.0.1";
/**
 * What all checks together may take, in ms; an x86 needs 300, a Raspberry Pi Zero ten times that, an emulated arm64 on a busy
 * machine a hundred times. systemd waits 90 s for a start.
 */
const LIMIT_MS = 60_000;
/** The message that goes there and back: some full packets. */
const MESSAGE_BYTES = 60_000;
/** How often a stranger knocks, in ms, until it was noticed. */
const KNOCK_MS = 20;
/** No flight of a handshake has a number this high. */
const LAST_FLIGHT = 99;

/** What the checks are made with. */
export interface SelfCheckParts {
  createPeer(options: {
    readonly iceServers: readonly never[];
    readonly handlers: PeerHandlers;
  }): Promise<WeriftPeer>;
  readonly openSocket: OpenSocket;
}

/**
 * Rejects with an Error of one line when a check fails. What the checks leave behind is let go of
 * in the background, within two seconds: `settled`.
 */
export async function selfCheck(
  parts: SelfCheckParts,
  limitMs = LIMIT_MS,
): Promise<{ readonly settled: Promise<void> }> {
  const scenes: Scene[] = [];
  const stage = async (keys?: Keys) => {
    const scene = await Scene.open(parts, keys);
    scenes.push(scene);
    return scene;
  };
  const work = Promise.all([
    stage().then((scene) => checkTraffic(scene, parts)),
    forgedKeys().then(stage).then(checkForgery),
  ]);
  let outcome: unknown = new Error("a check did not come to an end");
  await within(work.then(() => outcome = undefined, (error) => outcome = error), limitMs);
  const failure = outcome; // what fails because the scenes are closed is no news
  const settled = Promise.all(scenes.map((scene) => scene.close())).then(() => {});
  if (failure === undefined) return { settled };
  await settled;
  const reason = failure instanceof Error ? failure.message : String(failure);
  throw new Error(`Cannot serve: werift does not behave as expected (${reason})`, {
    cause: failure,
  });
}

/** A message goes there and back through our association; meanwhile a stranger is not answered. */
async function checkTraffic(scene: Scene, { openSocket }: SelfCheckParts): Promise<void> {
  await scene.connect();
  await scene.reached("connected");
  await scene.echo(randomBytes(MESSAGE_BYTES));
  let answered = false;
  const stranger = await openSocket({ family: 4, port: 0, receive: () => answered = true });
  try {
    while (scene.peer.stats.udp.unauthenticated === 0 && !answered) {
      stranger.send(foreignRequest(`${scene.ufrag}:stranger`), LOOPBACK, scene.port);
      await within(scene.ended, KNOCK_MS);
      scene.demandLife();
    }
    await scene.echo(randomBytes(1));
  } finally {
    await stranger.close();
  }
  if (answered) throw new Error("a stranger's binding request was answered");
}

/** A certificate without its key does not get in. */
async function checkForgery(scene: Scene): Promise<void> {
  await scene.connect();
  const state = await Promise.race([scene.reached("failed"), scene.reached("connected")]);
  if (state === "connected" || scene.peer.seenFingerprint() !== undefined) {
    throw new Error("a forged handshake was accepted");
  }
}

type Keys = Awaited<ReturnType<typeof createSelfSignedCertificate>>;

/** The certificate of one and the key of another. */
async function forgedKeys(): Promise<Keys> {
  const make = () => createSelfSignedCertificate(ECDSA_SHA256, SECP256R1);
  const [victim, thief] = await Promise.all([make(), make()]);
  return { ...victim, keyPem: thief.keyPem };
}

/** A binding request of somebody who does not know the password: werift alone answers it. */
function foreignRequest(username: string): Buffer {
  const name = Buffer.alloc(4 + username.length + (-username.length & 3)); // RFC 8489 14.3
  name.writeUInt16BE(6);
  name.writeUInt16BE(username.length, 2);
  name.write(username, 4);
  const priority = Buffer.from([0, 0x24, 0, 4, 0, 0, 0, 1]); // RFC 8445 7.1.1
  const header = Buffer.from("000100002112a442", "hex");
  const integrity = Buffer.concat([Buffer.from([0, 8, 0, 20]), randomBytes(20)]);
  header.writeUInt16BE(name.length + priority.length + integrity.length, 2);
  return Buffer.concat([header, randomBytes(12), name, priority, integrity]);
}

/** One of our peers and the end that offers to it. */
class Scene {
  readonly peer: WeriftPeer;
  readonly ended: Promise<void>;
  readonly #offerer: RTCPeerConnection;
  readonly #channel: RTCDataChannel;
  readonly #states: States;
  /** ICE name of the peer. */
  ufrag = "";
  #isClosed = false;

  private constructor(peer: WeriftPeer, offerer: RTCPeerConnection, states: States) {
    this.peer = peer;
    this.#offerer = offerer;
    this.#states = states;
    this.#channel = offerer.createDataChannel("control", { negotiated: true, id: 0 });
    this.ended = Promise.race([states.reached("failed"), states.reached("closed")]).then(() => {});
    const channel = peer.channel(0, "control");
    channel.listen({
      open() {},
      message: (bytes) => channel.send(bytes),
      low() {},
      close() {},
    });
  }

  static async open({ createPeer }: SelfCheckParts, keys?: Keys): Promise<Scene> {
    const offerer = new RTCPeerConnection({
      iceServers: [{ urls: `stun:${LOOPBACK}:9` }], // an empty list would mean Google's
      iceAdditionalHostAddresses: [LOOPBACK],
      iceInterfaceAddresses: { udp4: LOOPBACK },
      iceUseIpv6: false,
      bundlePolicy: "max-bundle",
      ...keys === undefined ? {} : { dtls: { keys } },
    });
    const states = new States();
    const peer = await createPeer({
      iceServers: [],
      handlers: {
        candidate: (candidate) => {
          states.candidates.push(candidate);
          states.offerCandidate?.(candidate);
        },
        state: (state) => states.set(state),
        keyFrameWanted() {},
      },
    });
    return new Scene(peer, offerer, states);
  }

  /** UDP port of the peer. */
  get port(): number {
    return Number(this.#states.candidates.find(isOfIpv4)?.split(" ")[5]);
  }

  reached(state: PeerState): Promise<PeerState> {
    return this.#states.reached(state);
  }

  /** Signalling by function calls. The peer learns the offerer's address from its checks. */
  async connect(): Promise<void> {
    const offerer = this.#offerer;
    const [transport] = offerer.dtlsTransports;
    if (transport !== undefined) iceInternals(transport).stunServer = undefined;
    await offerer.setLocalDescription(await offerer.createOffer());
    // A browser's candidates trickle: the peer must not take the list for complete.
    const offer = offerer.localDescription!.sdp.replace(/a=(end-of-)?candidate.*\r\n/g, "");
    const sdp = await this.peer.answer(offer);
    this.ufrag = /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1] ?? "";
    await offerer.setRemoteDescription({ type: "answer", sdp });
    const tell = (told: string) => {
      if (!isOfIpv4(told)) return;
      const candidate = onLoopback(told);
      offerer.addIceCandidate({ candidate, sdpMLineIndex: 0 }).catch(() => {});
    };
    this.#states.offerCandidate = tell;
    this.#states.candidates.forEach(tell);
  }

  /** Sends a message and waits for it to come back. */
  async echo(message: Buffer): Promise<void> {
    const back = new Promise<Buffer>((resolve) => {
      this.#channel.onMessage.once((data) => resolve(Buffer.from(data)));
    });
    const open = this.#channel.readyState === "open"
      ? Promise.resolve()
      : new Promise<void>((resolve) =>
        void this.#channel.stateChange.subscribe((state) => state === "open" && resolve())
      );
    await Promise.race([open, this.ended]);
    this.demandLife();
    this.#channel.send(message);
    const found = await Promise.race([back, this.ended]);
    this.demandLife();
    if (!(found instanceof Buffer) || !found.equals(message)) {
      throw new Error("a message came back changed");
    }
  }

  demandLife(): void {
    if (this.#states.isOver || this.#isClosed) throw new Error("an honest connection ended");
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const handshake = dtlsInternals(this.#offerer.dtlsTransports[0]!).dtls?.dtls;
    if (handshake !== undefined) handshake.flight = LAST_FLIGHT; // no more retransmissions
    await Promise.all([this.peer.close(), this.#offerer.close().catch(() => {})]);
  }
}

function isOfIpv4(candidate: string): boolean {
  return isIPv4(candidate.split(" ")[4] ?? "");
}

/** The same port at 127.0.0.1: all of the peer's addresses share it, and that one is told late (loopback_last.ts). */
function onLoopback(candidate: string): string {
  return candidate.split(" ").with(4, LOOPBACK).join(" ");
}

/** What a peer has told so far. */
class States {
  readonly candidates: string[] = [];
  offerCandidate: ((candidate: string) => void) | undefined;
  readonly #told = new Set<PeerState>();
  readonly #waiting = new Map<PeerState, ((state: PeerState) => void)[]>();

  get isOver(): boolean {
    return this.#told.has("failed") || this.#told.has("closed");
  }

  set(state: PeerState): void {
    this.#told.add(state);
    for (const resolve of this.#waiting.get(state) ?? []) resolve(state);
  }

  reached(state: PeerState): Promise<PeerState> {
    if (this.#told.has(state)) return Promise.resolve(state);
    return new Promise((resolve) => {
      this.#waiting.set(state, [...this.#waiting.get(state) ?? [], resolve]);
    });
  }
}
