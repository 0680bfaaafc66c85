/**
 * One RTSP session as a state machine: OPTIONS, DESCRIBE, SETUP, PLAY, then keep-alive until
 * TEARDOWN. Pure: bytes of the network come parsed, time comes as an argument, and after every call
 * the driver (`client.ts`) drains `poll()`.
 */
import { CameraError } from "../source.ts";
import { Authenticator } from "./auth.ts";
import { type RtspItem, type RtspResponse, writeRequest, writeResponse } from "./message.ts";
import { possibleBases } from "./places.ts";
import { findVideo, type VideoTrack } from "./sdp.ts";
import { statusError } from "./status.ts";
import {
  type AgreedTransport,
  type Delivery,
  readSession,
  readTransport,
  writeTransport,
} from "./transport.ts";
import type { Credentials } from "./url.ts";

/** A camera that takes longer to answer is tried again. */
export const ANSWER_LIMIT_MS = 10_000;
/**
 * A camera that sends nothing for longer is tried again; the first picture of a slow one takes some
 * seconds.
 */
export const MEDIA_LIMIT_MS = 10_000;

/** A way by UDP that gives nothing for so long is closed by something between; TCP is tried then. */
export const FIRST_DATAGRAM_LIMIT_MS = 5000;

/**
 * What a camera says of an address that it does not know, among others (RFC 2326 7.1.1): another
 * reading of its description may be the right one.
 */
const WRONG_PLACE: readonly number[] = [400, 404, 405, 451, 454, 455, 457, 459, 460, 500];

const MAX_KEEP_ALIVE_MS = 25_000; // below the 30 s after which home routers forget a flow
// per request: the first, and one more for a nonce that grew old meanwhile
const MAX_CHALLENGES = 2;

type Method = "OPTIONS" | "DESCRIBE" | "SETUP" | "PLAY" | "GET_PARAMETER" | "TEARDOWN";

interface Pending {
  readonly method: Method;
  readonly url: string;
  readonly sequence: number;
  readonly deadline: number;
  readonly challenges: number;
}

/** What has been agreed so far; each step knows more than the one before. */
type State =
  | { readonly step: "new" }
  | { readonly step: "describing" }
  /** `others`: what the description may mean as well. */
  | {
    readonly step: "setting-up";
    readonly track: VideoTrack;
    readonly others: readonly VideoTrack[];
  }
  | { readonly step: "playing"; readonly track: VideoTrack; readonly session: SessionInUse }
  | { readonly step: "ended" };

interface SessionInUse {
  readonly id: string;
  readonly keepAliveMs: number;
  readonly channels: readonly [number, number];
}

export type EndReason =
  | { readonly type: "error"; readonly error: CameraError }
  /** 461, or silence by UDP: ask again by the other transport. */
  | { readonly type: "transport-refused" }
  | { readonly type: "redirect"; readonly url: string };

export type SessionOutput =
  | { readonly type: "transmit"; readonly bytes: Uint8Array }
  /** Media may come from now on. */
  | { readonly type: "ready"; readonly track: VideoTrack; readonly transport: AgreedTransport }
  | { readonly type: "rtp"; readonly bytes: Uint8Array }
  | { readonly type: "rtcp"; readonly bytes: Uint8Array }
  | { readonly type: "end"; readonly reason: EndReason };

export interface SessionOptions {
  /** Without credentials. */
  readonly url: string;
  readonly credentials: Credentials | undefined;
  readonly delivery: Delivery;
  /** Fresh random letters and digits. */
  readonly clientNonce: string;
}

export class RtspSession {
  readonly #options: SessionOptions;
  readonly #authenticator: Authenticator;
  readonly #outputs: SessionOutput[] = [];
  #state: State = { step: "new" };
  #pending: Pending | undefined;
  #sequence = 0;
  #keepAlive: "GET_PARAMETER" | "OPTIONS" = "OPTIONS";
  #mediaDeadline = Infinity;
  #mediaSeen = false;
  #keepAliveAt = Infinity;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#authenticator = new Authenticator(options.credentials, options.clientNonce);
  }

  start(now: number): void {
    this.#ask(now, "OPTIONS", this.#options.url);
  }

  /** What to do, in order; undefined when nothing is left. */
  poll(): SessionOutput | undefined {
    return this.#outputs.shift();
  }

  /** When `tick` is to be called next. */
  deadline(): number {
    return Math.min(this.#pending?.deadline ?? Infinity, this.#mediaDeadline, this.#keepAliveAt);
  }

  receive(now: number, item: RtspItem): void {
    if (this.#state.step === "ended") return;
    if (item.type === "interleaved") this.#takeMedia(item.channel, item.bytes);
    else if (item.type === "response") this.#takeResponse(now, item);
    else this.#answer(item.method, item.headers.get("cseq")?.[0]);
  }

  /** RTP of the track has come, by whatever transport. */
  mediaArrived(now: number): void {
    this.#mediaSeen = true;
    if (this.#state.step === "playing") this.#mediaDeadline = now + MEDIA_LIMIT_MS;
  }

  tick(now: number): void {
    if (this.#pending !== undefined && now >= this.#pending.deadline) {
      return this.#fail(
        "unreachable",
        `Cannot talk to camera: no answer to ${this.#pending.method}`,
      );
    }
    if (now >= this.#mediaDeadline) {
      const closed = !this.#mediaSeen && this.#options.delivery.type === "udp";
      if (closed) return this.#end({ type: "transport-refused" });
      return this.#fail("broken", `Cannot receive video: nothing for ${MEDIA_LIMIT_MS} ms`);
    }
    if (now >= this.#keepAliveAt) this.#askToStay(now);
  }

  /** Says good-bye, if there is a session; nothing more will come of this object. */
  stop(now: number): void {
    if (this.#state.step === "playing") this.#ask(now, "TEARDOWN", this.#state.track.aggregate);
    this.#end();
  }

  #takeMedia(channel: number, bytes: Uint8Array): void {
    if (this.#state.step !== "playing" || this.#options.delivery.type !== "tcp") return;
    const [rtp, rtcp] = this.#state.session.channels;
    if (channel === rtp) this.#put({ type: "rtp", bytes });
    else if (channel === rtcp) this.#put({ type: "rtcp", bytes });
  }

  /** A camera may ask too, mostly whether we are still there. */
  #answer(method: string, sequence: string | undefined): void {
    const known = ["OPTIONS", "GET_PARAMETER", "SET_PARAMETER"].includes(method);
    const plain = sequence !== undefined && /^\d{1,10}$/.test(sequence) ? sequence : undefined;
    const bytes = writeResponse(known ? "200 OK" : "501 Not Implemented", plain);
    this.#put({ type: "transmit", bytes });
  }

  #takeResponse(now: number, response: RtspResponse): void {
    const pending = this.#pending;
    const sequence = response.headers.get("cseq")?.[0];
    if (
      pending === undefined || (sequence !== undefined && Number(sequence) !== pending.sequence)
    ) {
      return; // an answer to a request that was given up
    }
    this.#pending = undefined;
    if (response.status < 200) this.#pending = pending;
    else if (response.status === 401) this.#takeChallenge(now, pending, response);
    else this.#takeAnswer(now, pending, response);
  }

  #takeChallenge(now: number, pending: Pending, response: RtspResponse): void {
    const challenges = response.headers.get("www-authenticate") ?? [];
    const again = pending.challenges < MAX_CHALLENGES && this.#authenticator.challenge(challenges);
    if (!again) return this.#endBy(statusError(401, pending.method));
    this.#ask(now, pending.method, pending.url, pending.challenges + 1);
  }

  #takeAnswer(now: number, pending: Pending, response: RtspResponse): void {
    const good = response.status < 300;
    if (good && pending.challenges > 0) this.#authenticator.accepted();
    if (this.#state.step === "playing" && pending.method !== "PLAY") {
      return this.#takeKeepAlive(pending, response);
    }
    if (response.status >= 300 && response.status < 400) return this.#redirect(response);
    if (pending.method === "SETUP" && response.status === 461) {
      return this.#end({ type: "transport-refused" });
    }
    if (!good && WRONG_PLACE.includes(response.status) && this.#tryOther(now, pending)) return;
    if (!good && pending.method !== "OPTIONS") {
      return this.#endBy(statusError(response.status, pending.method));
    }
    this.#advance(now, pending.method, response);
  }

  #advance(now: number, method: Method, response: RtspResponse): void {
    if (method === "OPTIONS") this.#describe(now, response);
    else if (method === "DESCRIBE") this.#setUp(now, response);
    else if (method === "SETUP") this.#play(now, response);
    else if (method === "PLAY") this.#expectMedia(now);
  }

  #expectMedia(now: number): void {
    const { type } = this.#options.delivery;
    this.#mediaDeadline = now +
      (type === "udp" && !this.#mediaSeen ? FIRST_DATAGRAM_LIMIT_MS : MEDIA_LIMIT_MS);
  }

  /** The same request at another place that the description may mean; false when there is none. */
  #tryOther(now: number, { method, url }: Pending): boolean {
    if (this.#state.step === "setting-up" && method === "SETUP") {
      const [track, ...others] = this.#state.others;
      if (track === undefined) return false;
      this.#state = { step: "setting-up", track, others };
      this.#ask(now, "SETUP", track.control);
      return true;
    }
    if (this.#state.step !== "playing" || method !== "PLAY") return false;
    const { track } = this.#state; // no aggregate control (RFC 2326 C.1.1): the track itself
    if (url === track.control) return false;
    this.#state = { ...this.#state, track: { ...track, aggregate: track.control } };
    this.#ask(now, "PLAY", track.control);
    return true;
  }

  #describe(now: number, response: RtspResponse): void {
    const offered = (response.headers.get("public") ?? []).join(",").toUpperCase();
    if (/(^|[\s,])GET_PARAMETER($|[\s,])/.test(offered)) this.#keepAlive = "GET_PARAMETER";
    this.#state = { step: "describing" };
    this.#ask(now, "DESCRIBE", this.#options.url);
  }

  #setUp(now: number, response: RtspResponse): void {
    const { headers, body } = response;
    const named = headers.get("content-base")?.[0] ?? headers.get("content-location")?.[0];
    try {
      const text = new TextDecoder().decode(body);
      const tracks = possibleBases(this.#options.url, named).map((base) => findVideo(text, base));
      const [track, ...others] = tracks.filter(({ control }, index) =>
        tracks.findIndex((one) => one.control === control) === index
      );
      this.#state = { step: "setting-up", track: track!, others }; // there is at least one base
      this.#ask(now, "SETUP", track!.control);
    } catch (error) {
      if (!(error instanceof CameraError)) throw error;
      this.#endBy(error);
    }
  }

  #play(now: number, response: RtspResponse): void {
    if (this.#state.step !== "setting-up") return;
    const { track } = this.#state;
    const session = readSession(response.headers.get("session")?.[0] ?? "");
    if (session === undefined) {
      return this.#fail("broken", "Cannot start video: camera names no session");
    }
    const transport = readTransport(response.headers.get("transport")?.[0] ?? "");
    const keepAliveMs = Math.min(session.timeoutMs / 2, MAX_KEEP_ALIVE_MS);
    const channels = transport.channels ?? [0, 1];
    this.#state = { step: "playing", track, session: { id: session.id, keepAliveMs, channels } };
    this.#put({ type: "ready", track, transport });
    this.#mediaDeadline = now + ANSWER_LIMIT_MS + MEDIA_LIMIT_MS;
    this.#keepAliveAt = now + keepAliveMs;
    this.#ask(now, "PLAY", track.aggregate);
  }

  #askToStay(now: number): void {
    if (this.#state.step !== "playing") return;
    this.#keepAliveAt = now + this.#state.session.keepAliveMs;
    const silent = this.#pending === undefined;
    if (silent) this.#ask(now, this.#keepAlive, this.#state.track.aggregate);
  }

  /**
   * Many cameras refuse the keep-alive that they announced, and go on: only a lost session ends it.
   */
  #takeKeepAlive(pending: Pending, response: RtspResponse): void {
    if (response.status === 454) this.#endBy(statusError(454, pending.method));
    else if (response.status >= 300) this.#keepAlive = "OPTIONS";
  }

  #redirect(response: RtspResponse): void {
    const url = response.headers.get("location")?.[0];
    if (url === undefined) return this.#fail("broken", "Cannot follow camera: it names no place");
    this.#end({ type: "redirect", url });
  }

  #ask(now: number, method: Method, url: string, challenges = 0): void {
    const sequence = ++this.#sequence;
    this.#pending = { method, url, sequence, deadline: now + ANSWER_LIMIT_MS, challenges };
    const headers: Record<string, string> = { CSeq: String(sequence), "User-Agent": "porthole" };
    const authorization = this.#authenticator.authorization({ method, url });
    if (authorization !== undefined) headers.Authorization = authorization;
    if (this.#state.step === "playing") headers.Session = this.#state.session.id;
    if (method === "DESCRIBE") headers.Accept = "application/sdp";
    if (method === "SETUP") headers.Transport = writeTransport(this.#options.delivery);
    if (method === "PLAY") headers.Range = "npt=0.000-";
    this.#put({ type: "transmit", bytes: writeRequest({ method, url }, headers) });
  }

  #fail(code: "unreachable" | "broken", message: string): void {
    this.#endBy(new CameraError(code, message));
  }

  #endBy(error: CameraError): void {
    this.#end({ type: "error", error });
  }

  #end(reason?: EndReason): void {
    if (this.#state.step === "ended") return;
    this.#state = { step: "ended" };
    this.#pending = undefined;
    this.#mediaDeadline = Infinity;
    this.#keepAliveAt = Infinity;
    if (reason !== undefined) this.#put({ type: "end", reason });
  }

  #put(output: SessionOutput): void {
    this.#outputs.push(output);
  }
}
