/** A session on a stage: doubles of its peer and its admission, and the browser's end of channel 0. Holds no tests. */
import { type Bytes, utf8 } from "../lib/bytes.ts";
import type { Operation } from "../protocol/access.ts";
import type { ControlMessage } from "../protocol/control.ts";
import { decodeControl, encodeControl } from "../protocol/control_codec.ts";
import { answerSdp, type TransportFields } from "../protocol/sdp.ts";
import type { RestartMessage } from "../trust/handshake.ts";
import { ChannelDouble, servicesDouble } from "./doubles_test.ts";
import type {
  Admission,
  CameraFeed,
  Cameras,
  Confirmation,
  Greeting,
  IceCredentials,
  Named,
  OwnerDesk,
  Peer,
  PeerHandlers,
  Services,
  SessionAccess,
  Use,
} from "./seams.ts";
import { Session } from "./session.ts";

export const TRANSPORT: TransportFields = {
  ufrag: "abcd",
  pwd: "0123456789abcdefghijkl",
  fingerprint: new Uint8Array(32).fill(7),
  setup: "actpass",
};

export const PASS = new Uint8Array(16).fill(9);

/** A WebRTC connection that a test plays. */
export class PeerDouble implements Peer {
  readonly near = new Map<number, ChannelDouble>();
  readonly far = new Map<number, ChannelDouble>();
  readonly offers: string[] = [];
  handlers!: PeerHandlers;
  closed = 0;
  seen: Bytes | undefined = TRANSPORT.fingerprint;
  /** Restarts that were asked for, and what was added to them. */
  readonly restarts: string[] = [];
  probes = 0;

  restart(remote: IceCredentials, candidate: (candidate: string) => void): Promise<IceCredentials> {
    this.restarts.push(`${remote.ufrag} ${remote.pwd}`);
    candidate(`ours for ${remote.ufrag}`);
    return Promise.resolve({ ufrag: `re-${remote.ufrag}`, pwd: TRANSPORT.pwd });
  }
  addRestartCandidate = (candidate: string) => Promise.resolve(void this.restarts.push(candidate));
  probe = () => void this.probes++;

  answer(offer: string): Promise<string> {
    this.offers.push(offer);
    const transport = { ...TRANSPORT, setup: "passive" } as const;
    return Promise.resolve(answerSdp({ transport, media: [] }));
  }
  channel(id: number): ChannelDouble {
    const [near, far] = ChannelDouble.pair();
    this.near.set(id, near);
    this.far.set(id, far);
    return near;
  }
  addCandidate = () => Promise.resolve();
  /** When something was last heard; all the time without it. */
  heard: number | undefined;

  seenFingerprint = () => this.seen;
  heardAt = () => this.heard ?? performance.now();
  prepareVideo = () => {};
  video = () => ({ sendFrame: () => {}, ssrc: 1, rtxSsrc: 2, cname: "c" });
  close(): Promise<void> {
    this.closed++;
    return Promise.resolve();
  }
}

/** A proof that holds when the browser says "proof". */
class ConfirmationDouble implements Confirmation {
  done = false;
  start = () => Promise.resolve(utf8("nonce"));
  receive(message: Bytes): Promise<Bytes | undefined> {
    if (new TextDecoder().decode(message) !== "proof") {
      return Promise.reject(new Error("Cannot confirm: forged"));
    }
    this.done = true;
    return Promise.resolve(utf8("ours"));
  }
}

/** An owner's, unless a test says otherwise. */
export class AdmissionDouble implements Admission {
  access: SessionAccess = { role: "owner" };
  desk: OwnerDesk | undefined;
  hello: Greeting = { access: { role: "owner" }, pass: PASS };
  readonly cutting = new AbortController();
  readonly ended = this.cutting.signal;
  readonly uses: Use[] = [];
  readonly sessionId = "s1";
  readonly holder = "h1";
  readonly account = "a1";
  readonly remote = TRANSPORT;
  readonly remoteCandidates = [];
  readonly iceServers = [];
  readonly confirmation = new ConfirmationDouble();
  readonly log: string[] = [];
  answer = () => Promise.resolve(void this.log.push("answer"));
  sendCandidate = (candidate: string) => Promise.resolve(void this.log.push(candidate));
  onCandidate = () => {};
  readonly restarts: RestartMessage[] = [];
  sendRestart = (message: RestartMessage) => Promise.resolve(void this.restarts.push(message));
  /** Speaks as the browser, once the session is live. */
  restart: ((message: RestartMessage) => void) | undefined;
  onRestart = (listener: (message: RestartMessage) => void) => void (this.restart = listener);
  confirmed: () => Promise<void> = () => Promise.resolve(void this.log.push("confirmed"));
  greeting = () => this.hello;
  used = (use: Use) => void this.uses.push(use);
  release = () => void this.log.push("release");
}

/** What an owner lent to a guest. */
export function lent(
  things: { services?: string[]; cameras?: string[]; operations: Operation[] },
): SessionAccess & { role: "guest" } {
  return {
    role: "guest",
    services: new Set(things.services),
    cameras: new Set(things.cameras),
    operations: new Set(things.operations),
  };
}

/** The admission of a guest. */
export function guest(access: SessionAccess & { role: "guest" }): AdmissionDouble {
  const admission = new AdmissionDouble();
  const operations = [...access.operations];
  admission.access = access;
  admission.hello = { access: { role: "guest", operations, remainingSeconds: 60 }, pass: PASS };
  return admission;
}

/** Cameras that give a feed at once, and what became of the feeds. */
export function camerasDouble(
  list: readonly Named[] = [{ id: "front", title: "Front" }],
): { cameras: Cameras; opened: string[]; played: unknown[]; closed: () => number } {
  let closed = 0;
  const opened: string[] = [];
  const played: unknown[] = [];
  const feed: CameraFeed = {
    profileLevelId: "42e01f",
    play: (sink) => void played.push(sink),
    keyFrameWanted: () => {},
    close: () => void closed++,
  };
  const open: Cameras["open"] = (camera, listener) => {
    opened.push(camera);
    listener.state("live");
    return Promise.resolve(feed);
  };
  return { cameras: { list: () => list, open }, opened, played, closed: () => closed };
}

const NO_CAMERAS: Cameras = { list: () => [], open: () => Promise.reject(new Error("unexpected")) };

/** What a test may give a session. */
export interface StageOptions {
  readonly admission?: AdmissionDouble;
  readonly services?: Partial<Services>;
  readonly cameras?: Cameras;
  readonly pathLimitMs?: number;
}

/** A session up to the open control channel, and the browser's end of that. */
export class Stage {
  readonly peer = new PeerDouble();
  readonly admission: AdmissionDouble;
  readonly messages: ControlMessage[] = [];
  readonly events: [string, unknown][] = [];
  readonly session: Session;
  readonly over: Promise<void>;
  #waiting: (() => void)[] = [];

  constructor({ admission, services, cameras, pathLimitMs }: StageOptions = {}) {
    this.admission = admission ?? new AdmissionDouble();
    const log = (event: string, fields?: unknown) => {
      this.events.push([event, fields]);
      for (const wake of this.#waiting.splice(0)) wake();
    };
    this.session = new Session(this.admission, {
      name: "Bench",
      services: servicesDouble(services ?? {}),
      cameras: cameras ?? NO_CAMERAS,
      ...(pathLimitMs !== undefined && { pathLimitMs }),
      log: { debug: log, info: log, warn: log, error: log },
      createPeer: ({ handlers }) => {
        this.peer.handlers = handlers;
        return Promise.resolve(this.peer);
      },
    });
    this.over = this.session.run();
  }

  /** Opens the browser's end of the control channel once the session made its own. */
  async connect(): Promise<ChannelDouble> {
    while (!this.peer.far.has(0)) await Promise.resolve();
    const control = this.peer.far.get(0)!;
    control.listen({
      open: () => {},
      message: (bytes) => {
        this.messages.push(decodeControl(bytes));
        for (const wake of this.#waiting.splice(0)) wake();
      },
      low: () => {},
      close: () => {},
    });
    return control;
  }

  /** The first message of this type, past or future, that is wanted. */
  async until(
    type: ControlMessage["type"],
    wanted: (message: ControlMessage) => boolean = () => true,
  ): Promise<ControlMessage> {
    for (;;) {
      const found = this.messages.find((message) => message.type === type && wanted(message));
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Waits for a line of the log, past or future. */
  async event(name: string): Promise<void> {
    while (!this.events.some(([event]) => event === name)) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Everything that the session sent on both channels, as one text of bytes. */
  sent(): string {
    const channels = [...this.peer.near.values()].flatMap(({ sent }) => sent);
    return channels.map((bytes) => String.fromCharCode(...bytes)).join("\n");
  }

  async live(): Promise<ChannelDouble> {
    const control = await this.connect();
    await this.until("confirm");
    control.send(encodeControl({ type: "confirm", bytes: utf8("proof") }));
    await this.until("hello");
    return control;
  }

  reason(): unknown {
    return (this.events.find(([event]) => event === "session.over")?.[1] as { reason: unknown })
      .reason;
  }
}
