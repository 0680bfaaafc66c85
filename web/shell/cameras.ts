/**
 * The cameras of one device as views see them: who wants which, what each is doing, and the stream that shows it. Wants
 * outlive a connection: after a reconnect the same cameras start again by themselves.
 */
import type { CameraCode, ControlMessage, Named } from "../../src/protocol/control.ts";
import { type MediaLink, MediaSections, type VideoReceiver } from "./media.ts";
import { Observable, type Observed } from "./observable.ts";

// A person who goes from the device to one of its pages keeps the picture: the next view asks within this time.
const LINGER_MS = 2000;

/** What a camera is doing, for people. */
export type CameraView =
  | { readonly state: "off" }
  /** `parted`: asked for, but there is no connection. */
  | { readonly state: "starting" | "parted" }
  | { readonly state: "live"; readonly stream: MediaStream }
  | {
    readonly state: "waiting" | "failed";
    readonly code?: CameraCode;
    /** When it began, in milliseconds since 1970. */
    readonly since: number;
    /** The last picture stays on the screen while the source is tried again. */
    readonly stream?: MediaStream;
  };

export const CAMERA_OFF: CameraView = { state: "off" };

interface Wish {
  /** Views that show the camera. */
  views: number;
  linger?: ReturnType<typeof setTimeout> | undefined;
}

type CameraMessage =
  & ControlMessage
  & { type: "camera-ready" | "camera-state" | "media-answer" };

export class Cameras {
  readonly #views = new Observable<ReadonlyMap<string, CameraView>>(new Map());
  readonly #wishes = new Map<string, Wish>();
  readonly #streams = new Map<string, MediaStream>();
  readonly #receivers = new Map<string, VideoReceiver>();
  #link: MediaLink | undefined;
  #sections: MediaSections | undefined;
  #offered: ReadonlySet<string> = new Set();

  get views(): Observed<ReadonlyMap<string, CameraView>> {
    return this.#views;
  }

  /** Asks for a camera until the returned function is called (once). */
  want(camera: string): () => void {
    const wish = this.#wishes.get(camera) ?? { views: 0 };
    this.#wishes.set(camera, wish);
    clearTimeout(wish.linger);
    if (wish.views++ === 0 && wish.linger === undefined) this.#start(camera);
    wish.linger = undefined;
    return () => this.#unwant(camera, wish);
  }

  /** The browser's statistics of the camera's stream; undefined while there is none. */
  stats(camera: string): Promise<RTCStatsReport> | undefined {
    return this.#receivers.get(camera)?.getStats();
  }

  /** A connection is live: `offered` are the cameras that the device named. */
  attach(link: MediaLink, offered: readonly Named[]): void {
    this.#link = link;
    this.#offered = new Set(offered.map(({ id }) => id));
    this.#sections = new MediaSections(link, (camera, from) => this.#receive(camera, from));
    for (const camera of this.#wishes.keys()) this.#start(camera);
  }

  /** The connection ended. */
  detach(): void {
    this.#link = undefined;
    this.#sections = undefined;
    this.#streams.clear();
    this.#receivers.clear();
    for (const camera of this.#wishes.keys()) this.#set(camera, { state: "parted" });
  }

  /** A message about cameras. Throws a LostError when it breaks the protocol. */
  receive(message: CameraMessage): void {
    switch (message.type) {
      case "media-answer":
        return this.#sections?.answered(message);
      case "camera-ready":
        if (!this.#wishes.has(message.camera)) return; // was stopped while it started
        if (this.#sections?.show(message.camera) === false) {
          this.#set(message.camera, { state: "failed", code: "busy", since: Date.now() });
        }
        return;
      case "camera-state":
        if (this.#wishes.has(message.camera)) this.#state(message);
    }
  }

  #start(camera: string): void {
    if (this.#link === undefined) return this.#set(camera, { state: "parted" });
    this.#set(camera, { state: "starting" });
    if (this.#offered.has(camera)) return this.#link.send({ type: "camera-start", camera });
    this.#set(camera, { state: "failed", code: "unknown", since: Date.now() });
  }

  #unwant(camera: string, wish: Wish): void {
    if (--wish.views > 0) return;
    wish.linger = setTimeout(() => {
      this.#wishes.delete(camera);
      this.#streams.delete(camera);
      this.#receivers.delete(camera);
      this.#sections?.hide(camera);
      this.#link?.send({ type: "camera-stop", camera });
      this.#set(camera, CAMERA_OFF);
    }, LINGER_MS);
  }

  #receive(camera: string, receiver: VideoReceiver | undefined): void {
    if (!this.#wishes.has(camera)) return;
    if (receiver === undefined) {
      this.#streams.delete(camera);
      this.#receivers.delete(camera);
      return this.#set(camera, { state: "failed", code: "unsupported", since: Date.now() });
    }
    this.#receivers.set(camera, receiver);
    const stream = new MediaStream([receiver.track]);
    this.#streams.set(camera, stream);
    const now = this.#views.value.get(camera) ?? CAMERA_OFF;
    if (now.state === "waiting" || now.state === "failed") this.#set(camera, { ...now, stream });
    else this.#set(camera, { state: "live", stream });
  }

  #state({ camera, state, code }: ControlMessage & { type: "camera-state" }): void {
    const stream = this.#streams.get(camera);
    switch (state) {
      case "starting":
        return this.#set(camera, { state: "starting" });
      case "live":
        return this.#set(camera, stream ? { state: "live", stream } : { state: "starting" });
      case "waiting":
      case "failed": {
        const before = this.#views.value.get(camera);
        const since = before?.state === "waiting" || before?.state === "failed"
          ? before.since
          : Date.now();
        return this.#set(camera, {
          state,
          since,
          ...(code === undefined ? {} : { code }),
          ...(stream === undefined ? {} : { stream }),
        });
      }
    }
  }

  #set(camera: string, view: CameraView): void {
    this.#views.set(new Map(this.#views.value).set(camera, view));
  }
}
