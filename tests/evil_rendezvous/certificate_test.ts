/**
 * A session whose certificates are not the signed ones dies, whichever end lies or is lied to, and nothing but channel 0
 * was opened before (issue 4, item 2). Real connections over loopback: the agent's session and control on one side, on
 * the other the browser's handshake with a werift connection in the browser's place.
 */
import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import { createHash, X509Certificate } from "node:crypto";
import type { Admission, CreatePeer, Peer } from "../../src/agent/seams.ts";
import { Session } from "../../src/agent/session.ts";
import { Scene, type TestBrowser } from "../../src/control/testing/scene.ts";
import type { Bytes } from "../../src/lib/bytes.ts";
import { MemoryLog } from "../../src/control/test_parts.ts";
import type { ControlMessage } from "../../src/protocol/control.ts";
import { decodeControl, encodeControl } from "../../src/protocol/control_codec.ts";
import { answerSdp, readTransport, type TransportFields } from "../../src/protocol/sdp.ts";
import { HandshakeError } from "../../src/trust/handshake.ts";
import { newSigner } from "../../src/trust/test_ends.ts";
import { limited } from "../contract/limited.ts";
import { makePair, type Pair } from "../contract/werift_offerer.ts";

const FOREIGN: Bytes = new Uint8Array(32).fill(0xee);

/** Who says or sees something that is not so. */
interface Lies {
  /** The certificate that the browser signs. */
  readonly browserSigns?: Bytes;
  /** The certificate that the device signs. */
  readonly deviceSigns?: Bytes;
  /** What the device's connection says it was shown. */
  readonly deviceSees?: Bytes;
  /** What the browser's connection says it was shown. */
  readonly browserSees?: Bytes;
}

/** What came of a connection. */
interface Ending {
  /** Channels that the device made. */
  readonly channels: readonly number[];
  readonly events: readonly string[];
  readonly heard: readonly ControlMessage["type"][];
  /** Why the browser gave up. */
  readonly refused: unknown;
  readonly isLive: boolean;
  readonly reason: unknown;
}

const NOTHING = {
  services: { list: () => [], request: () => never(), socket: () => never() },
  cameras: { list: () => [], open: () => never() },
};

function never(): Promise<never> {
  return Promise.reject(new Error("Cannot serve: nothing may be asked"));
}

/** Connects both, with these lies; ends when the greeting came or something gave up. */
async function connect(scene: Scene, lies: Lies): Promise<Ending> {
  const log = new MemoryLog();
  const channels: number[] = [];
  const pair = await makePair();
  let truth: Bytes | undefined;
  let forward: Parameters<CreatePeer>[0]["handlers"] | undefined;
  const createPeer: CreatePeer = ({ handlers }) => {
    forward = handlers;
    return Promise.resolve(seen(pair.peer, { channels, sees: lies.deviceSees }));
  };
  const failed = pair.reached("failed").then(() => forward?.state("failed"));
  const signer = await newSigner();
  await scene.addOwner(signer);
  const browser = await scene.browser(signer);
  const admission = await offered(scene, { browser, pair, signs: lies.browserSigns });
  const lying = lyingAbout(admission, (local) => {
    truth = local.fingerprint;
    return lies.deviceSigns ?? truth;
  });
  const session = new Session(lying, {
    ...{ name: "Bench", createPeer, log },
    ...NOTHING,
  });
  const over = session.run();
  const link = new BrowserLink(pair, { browser, shows: () => truth });
  try {
    await limited(Promise.race([link.run(lies.browserSees), over, failed]));
  } finally {
    session.close("closed", "test over");
    await over;
    await pair.close();
  }
  const last = log.lines.find(({ event }) => event === "session.over");
  return {
    channels,
    events: log.events,
    heard: link.heard,
    refused: link.refused,
    isLive: scene.live.find(admission.sessionId) !== undefined ||
      log.events.includes("session.live"),
    reason: last?.fields?.reason,
  };
}

/** The device's connection, which tells of its channels and may be wrong about what it was shown. */
function seen(
  peer: Pair["peer"],
  { channels, sees }: { channels: number[]; sees: Bytes | undefined },
): Peer {
  return {
    answer: (offer) => peer.answer(offer),
    addCandidate: (candidate) => peer.addCandidate(candidate),
    channel: (id, label) => {
      channels.push(id);
      return peer.channel(id, label);
    },
    seenFingerprint: () => peer.seenFingerprint() && (sees ?? peer.seenFingerprint()),
    heardAt: () => peer.heardAt(),
    restart: (remote, candidate) => peer.restart(remote, candidate),
    addRestartCandidate: (candidate) => peer.addRestartCandidate(candidate),
    probe: () => peer.probe(),
    video: () => undefined,
    prepareVideo() {},
    close: () => peer.close(),
  };
}

async function offered(
  scene: Scene,
  { browser, pair, signs }: { browser: TestBrowser; pair: Pair; signs: Bytes | undefined },
): Promise<Admission> {
  const candidates: string[] = [];
  pair.offerer.onIceCandidate.subscribe((candidate) => {
    if (candidate?.candidate) candidates.push(candidate.candidate);
  });
  await pair.offerer.setLocalDescription(await pair.offerer.createOffer());
  const own = readTransport(pair.offerer.localDescription!.sdp);
  const transport = { ...own, fingerprint: signs ?? own.fingerprint };
  await browser.send(await browser.handshake.offer({ transport, candidates }));
  return scene.admitted.at(-1)!;
}

function lyingAbout(admission: Admission, signs: (local: TransportFields) => Bytes): Admission {
  const answer = (local: TransportFields) =>
    admission.answer({ ...local, fingerprint: signs(local) });
  return new Proxy(admission, {
    get(target, name) {
      if (name === "answer") return answer;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** The browser's end: takes the answer, proves itself in channel 0, and waits for the greeting. */
class BrowserLink {
  readonly heard: ControlMessage["type"][] = [];
  refused: unknown;
  readonly #pair: Pair;
  readonly #browser: TestBrowser;
  /** The certificate that the device's connection really has. */
  readonly #shows: () => Bytes | undefined;
  readonly #ended = Promise.withResolvers<void>();

  constructor(
    pair: Pair,
    { browser, shows }: { browser: TestBrowser; shows: () => Bytes | undefined },
  ) {
    this.#pair = pair;
    this.#browser = browser;
    this.#shows = shows;
  }

  /** Resolves when it was greeted or gave up. */
  async run(sees: Bytes | undefined): Promise<void> {
    const { offerer, channel } = this.#pair;
    const { handshake, inbox } = this.#browser;
    while (inbox.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const remote = await handshake.acceptAnswer(inbox.shift()!);
    channel.onMessage.subscribe((message) => void this.#take(new Uint8Array(message as Buffer)));
    channel.stateChanged.subscribe((state) => {
      if (state === "open") void this.#start(sees);
    });
    // A browser compares the fingerprint in DTLS as well: here it is left to the confirmation.
    const fingerprint = this.#shows() ?? remote.fingerprint;
    const sdp = answerSdp({ transport: { ...remote, fingerprint }, media: [] });
    await offerer.setRemoteDescription({ type: "answer", sdp });
    await this.#ended.promise;
  }

  async #start(sees: Bytes | undefined): Promise<void> {
    const { offerer } = this.#pair;
    const local = digestOf(offerer.dtlsTransports[0]!.localCertificate!.certPem);
    const remote = sees ?? remoteOf(this.#pair);
    try {
      this.#say(await this.#browser.handshake.confirmation().start({ local, remote }));
    } catch (error) {
      this.#giveUp(error);
    }
  }

  async #take(bytes: Bytes): Promise<void> {
    const message = decodeControl(bytes);
    this.heard.push(message.type);
    if (message.type === "hello" || message.type === "bye") return this.#ended.resolve();
    if (message.type !== "confirm") return;
    try {
      const next = await this.#browser.handshake.confirmation().receive(message.bytes);
      if (next) this.#say(next);
    } catch (error) {
      this.#giveUp(error);
    }
  }

  #say(bytes: Bytes): void {
    this.#pair.channel.send(encodeControl({ type: "confirm", bytes }) as unknown as Buffer);
  }

  #giveUp(error: unknown): void {
    this.refused ??= error;
    this.#ended.resolve();
  }
}

function digestOf(certPem: string): Bytes {
  return new Uint8Array(createHash("sha256").update(new X509Certificate(certPem).raw).digest());
}

function remoteOf({ offerer }: Pair): Bytes {
  const certificate = offerer.dtlsTransports[0]!.dtls!.remoteCertificate!;
  return new Uint8Array(createHash("sha256").update(certificate).digest());
}

Deno.test("a session whose certificates are the signed ones goes live", async () => {
  await Scene.run(async (scene) => {
    const { channels, heard, isLive } = await connect(scene, {});
    assert.deepEqual(channels, [0, 1]);
    assert.deepEqual(heard.slice(0, 3), ["confirm", "confirm", "hello"]);
    assert.equal(isLive, true);
  });
});

const LIES: readonly (readonly [string, Lies, "device" | "browser"])[] = [
  ["the browser signed another certificate than it shows", { browserSigns: FOREIGN }, "device"],
  ["the device signed another certificate than it shows", { deviceSigns: FOREIGN }, "browser"],
  ["the device is shown another certificate than was signed", { deviceSees: FOREIGN }, "device"],
  ["the browser is shown another certificate than was signed", { browserSees: FOREIGN }, "browser"],
];

for (const [name, lies, who] of LIES) {
  Deno.test(`a session dies if ${name}, and nothing but channel 0 was opened`, async () => {
    await Scene.run(async (scene) => {
      const { channels, heard, isLive, refused, reason } = await connect(scene, lies);
      assert.deepEqual(channels, [0]);
      assert.equal(isLive, false);
      assert.ok(!heard.includes("hello"), "it was greeted");
      if (who === "browser") {
        assert.ok(refused instanceof HandshakeError && refused.code === "bad_signature");
      } else assert.match(String(reason), /certificate|path was lost|channel closed/);
    });
  });
}
