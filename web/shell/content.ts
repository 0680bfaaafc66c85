/**
 * A device's service inside the shell: where its pages live, the hidden bridge that carries them, and the visible
 * frames. The frames run a device's code: everything they say is checked for origin, sender and length. Neither keys nor
 * the connection are known here; bytes go from the pump to the content origin without passing this page.
 */
import type { Bytes } from "../../src/lib/bytes.ts";
import { contentLabel } from "../../src/trust/content_label.ts";
import type { PumpPort } from "../pump/messages.ts";
import { openDetached } from "./detached.ts";
import {
  boundedText,
  isRecord,
  MAX_TITLE_LENGTH,
  RESERVED_PREFIX,
  type ShellToBridge,
} from "../sw/port_messages.ts";

/** How long a bridge may take until its worker is active, in ms: two small files over a slow line. */
const HELLO_LIMIT_MS = 20_000;
/** Frames in frames that are looked through for who spoke. */
const MAX_FRAME_DEPTH = 16;
/** Frames of one service that are listened to; a shell shows one or two, and drops the old ones. */
const MAX_FRAMES = 32;
/** Times that one bridge may start again, so that a hostile page that reloads it cannot fill the pump with ports. */
const MAX_HELLOS = 16;
/** Longest address that a page may report; the rest of it would not fit a shareable link anyway. */
const MAX_HREF_LENGTH = 16 << 10;
/** Reports closer together than this become one, in ms: browsers limit `replaceState` to 100 in 10 s (Safari). */
const REPORT_PAUSE_MS = 200;

/**
 * What a device's page may do in its frame. Missing on purpose: navigating the shell away (a page that looks like the
 * shell would be the best of baits). "allow-same-origin" is the content origin's own, which is not the shell's.
 */
const SANDBOX = [
  "allow-downloads",
  "allow-forms",
  "allow-modals",
  "allow-pointer-lock",
  "allow-popups",
  "allow-popups-to-escape-sandbox",
  "allow-presentation",
  "allow-same-origin",
  "allow-scripts",
].join(" ");

/** Where a frame is, as its page says: path, query and fragment, and the title. Untrusted text. */
export interface Navigation {
  readonly frame: HTMLIFrameElement;
  /** Begins with "/". */
  readonly path: string;
  readonly title: string;
}

/** An open service. */
export interface Content {
  /** Resolves when pages can be loaded. Rejects with an Error whose message says what to do, or with the signal's reason. */
  readonly ready: Promise<void>;
  /** Makes a frame that shows `path` once the caller puts it into the page. Throws before `ready` and for a bad path. */
  frame(path: string): HTMLIFrameElement;
  /** Moves a frame without a new entry in the history. Throws for a bad path. */
  navigate(frame: HTMLIFrameElement, path: string): void;
  /** Opens `path` in a tab of its own, which lives as long as this tab; false when the browser forbids. Call in a click. */
  detach(path: string): boolean;
  /** Tells where frames are. One listener; a later one takes its place. */
  onNavigate(listener: (navigation: Navigation) => void): void;
  /** Tells that a page in this frame does not work in one. One listener, as above. */
  onWantsTab(listener: (frame: HTMLIFrameElement) => void): void;
  /** Removes bridge and frames. Also done by the signal. */
  close(): void;
}

/**
 * The origin of one service of one device.
 *
 * @param pattern an origin with one `*`, such as `https://*.content.example`
 * @param deviceId the device's id: 16 bytes
 */
export async function contentOrigin(
  pattern: string,
  deviceId: Bytes,
  service: string,
): Promise<string> {
  const [before, after, ...more] = pattern.split("*");
  if (before === undefined || after === undefined || more.length > 0) {
    throw new TypeError(`Cannot name a content origin: "${pattern}" needs exactly one "*"`);
  }
  const label = await contentLabel(deviceId, service);
  return new URL(before + label + after).origin;
}

/** What `openContent` is told. */
export interface ContentOptions {
  readonly origin: string;
  readonly service: string;
  /** The service's name for people, shown on error pages; the id if missing. */
  readonly title?: string;
  readonly pump: PumpPort;
  /** Holds the hidden bridge; visible frames go wherever the caller puts them. */
  readonly container: HTMLElement;
  readonly signal: AbortSignal;
}

/** Opens a service: the bridge now, frames once it is ready. */
export function openContent(options: ContentOptions): Content {
  const content = new OpenContent(options);
  content.start();
  return content;
}

/**
 * Removes all that a service keeps in this browser: its own data, our cache, the service worker. For a device that is
 * forgotten, once its frames are closed. Resolves when done, or after `HELLO_LIMIT_MS`; never rejects.
 */
export function forgetContent(origin: string, container: HTMLElement): Promise<void> {
  const bridge = container.ownerDocument.createElement("iframe");
  const ends = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const forgotten = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, HELLO_LIMIT_MS);
    addEventListener("message", ({ data, origin: from, source }) => {
      if (from !== origin || source !== bridge.contentWindow || !isRecord(data)) return;
      if (data.porthole === "bridge-forgotten") return resolve();
      bridge.contentWindow?.postMessage({ porthole: "forget" } satisfies ShellToBridge, origin);
    }, { signal: ends.signal });
  });
  bridge.hidden = true;
  bridge.referrerPolicy = "no-referrer";
  bridge.src = `${origin}${RESERVED_PREFIX}bridge.html`;
  container.append(bridge);
  return forgotten.finally(() => {
    clearTimeout(timer);
    ends.abort();
    bridge.remove();
  });
}

class OpenContent implements Content {
  readonly ready: Promise<void>;
  readonly #options: ContentOptions;
  readonly #document: Document;
  readonly #opened = Promise.withResolvers<void>();
  readonly #ends = new AbortController();
  readonly #bridge: HTMLIFrameElement;
  readonly #frames = new Set<HTMLIFrameElement>();
  readonly #reports = new Map<HTMLIFrameElement, Navigation>();
  #state: "waiting" | "ready" | "closed" = "waiting";
  #hellos = 0;
  #listener: (navigation: Navigation) => void = () => {};
  #wantsTab: (frame: HTMLIFrameElement) => void = () => {};
  #reportTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ContentOptions) {
    this.#options = options;
    this.#document = options.container.ownerDocument;
    this.#bridge = this.#document.createElement("iframe");
    this.ready = this.#opened.promise;
    this.ready.catch(() => {}); // whoever awaits it is told; nobody has to
  }

  start(): void {
    const { signal, origin, container } = this.#options;
    if (signal.aborted) return this.#fail(signal.reason);
    signal.addEventListener("abort", () => this.#fail(signal.reason), {
      signal: this.#ends.signal,
    });
    addEventListener("message", (event) => this.#take(event), { signal: this.#ends.signal });
    const timer = setTimeout(() => this.#fail(unreachable(origin)), HELLO_LIMIT_MS);
    this.#opened.promise.finally(() => clearTimeout(timer)).catch(() => {}); // told through `ready`
    this.#bridge.hidden = true;
    this.#bridge.referrerPolicy = "no-referrer";
    this.#bridge.src = `${origin}${RESERVED_PREFIX}bridge.html`;
    container.append(this.#bridge);
  }

  frame(path: string): HTMLIFrameElement {
    if (this.#state !== "ready") throw new TypeError(`Cannot show a page: ${this.#state}`);
    const [oldest] = this.#frames;
    if (oldest !== undefined && this.#frames.size >= MAX_FRAMES) this.#frames.delete(oldest);
    const frame = this.#document.createElement("iframe");
    frame.setAttribute("sandbox", SANDBOX);
    frame.allow = "autoplay; fullscreen";
    frame.referrerPolicy = "origin"; // by it the service worker knows who opens the page
    frame.src = this.#address(path);
    this.#frames.add(frame);
    return frame;
  }

  navigate(frame: HTMLIFrameElement, path: string): void {
    if (!this.#frames.has(frame)) {
      throw new TypeError("Cannot navigate: not a frame of this service");
    }
    frame.contentWindow?.location.replace(this.#address(path));
  }

  detach(path: string): boolean {
    this.#address(path); // throws for a bad one
    return openDetached(this.#options, path);
  }

  onNavigate(listener: (navigation: Navigation) => void): void {
    this.#listener = listener;
  }

  onWantsTab(listener: (frame: HTMLIFrameElement) => void): void {
    this.#wantsTab = listener;
  }

  close(): void {
    this.#fail(new DOMException("The service was closed.", "AbortError"));
  }

  #address(path: string): string {
    const url = path.startsWith("/") ? URL.parse(this.#options.origin + path) : null;
    const own = url?.origin === this.#options.origin && !url.pathname.startsWith(RESERVED_PREFIX);
    if (!own) throw new TypeError("Cannot show a page: its path is not one of the device's");
    return url.href;
  }

  #take(event: MessageEvent): void {
    if (event.origin !== this.#options.origin || !isRecord(event.data)) return;
    if (event.source === this.#bridge.contentWindow) return this.#takeBridge(event.data);
    for (const frame of this.#frames) {
      if (event.data.porthole === "wants-tab" && isWithin(event.source, frame)) {
        return this.#wantsTab(frame);
      }
      if (event.source !== frame.contentWindow) continue;
      if (event.data.porthole === "door") return vouch(event.ports[0]);
      return this.#takeReport(frame, event.data);
    }
  }

  #takeBridge(message: Record<string, unknown>): void {
    if (message.porthole === "bridge-failed") {
      const reason = boundedText(message.reason, MAX_TITLE_LENGTH) ?? "";
      return this.#fail(refused(this.#options.origin, reason));
    }
    if (message.porthole !== "bridge-hello" || ++this.#hellos > MAX_HELLOS) return;
    const { port1, port2 } = new MessageChannel();
    const { service, title = service, pump, origin } = this.#options;
    const address = globalThis.location?.href ?? ""; // of this view: the way to other services starts there
    const answer: ShellToBridge = { porthole: "bridge-port", title, address };
    this.#bridge.contentWindow?.postMessage(answer, origin, [port1]);
    pump.postMessage({ type: "service", service, port: port2 }, [port2]);
    if (this.#state === "waiting") this.#state = "ready";
    this.#opened.resolve();
  }

  /** Reports are gathered: a page may send a thousand, the listener hears of the last. */
  #takeReport(frame: HTMLIFrameElement, message: Record<string, unknown>): void {
    const { porthole, href, title } = message;
    if (porthole !== "navigated" || typeof href !== "string" || href.length > MAX_HREF_LENGTH) {
      return;
    }
    const { origin } = this.#options;
    if (URL.parse(href)?.origin !== origin || !href.startsWith(`${origin}/`)) return;
    this.#reports.set(frame, {
      frame,
      path: href.slice(origin.length),
      title: boundedText(title, MAX_TITLE_LENGTH) ?? "",
    });
    this.#reportTimer ??= setTimeout(() => this.#tell(), REPORT_PAUSE_MS);
  }

  #tell(): void {
    this.#reportTimer = undefined;
    const reports = [...this.#reports.values()];
    this.#reports.clear();
    for (const report of reports) this.#listener(report);
  }

  #fail(reason: unknown): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#opened.reject(reason);
    this.#ends.abort();
    clearTimeout(this.#reportTimer);
    this.#bridge.remove();
    for (const frame of this.#frames) frame.remove();
    this.#frames.clear();
  }
}

/** The frame's own page, or one in a frame of it. */
function isWithin(source: MessageEventSource | null, frame: HTMLIFrameElement): boolean {
  let window = source as Window | null; // frames have no other
  for (let depth = 0; window !== null && depth < MAX_FRAME_DEPTH; depth++) {
    if (window === frame.contentWindow) return true;
    window = window.parent === window ? null : window.parent;
  }
  return false;
}

/** Only this service's own pages and the shell can have led its frame there (`web/doorway/`). */
function vouch(port: MessagePort | undefined): void {
  port?.postMessage({ porthole: "go-on" });
  port?.close();
}

function unreachable(origin: string): Error {
  return new Error(
    `Cannot load "${origin}": no answer. Check that this name leads to the rendezvous (--content-origin)`,
  );
}

function refused(origin: string, reason: string): Error {
  return new Error(
    `Cannot install the service worker of "${origin}": ${reason}. ` +
      "Allow site data for it, and open this page over https",
  );
}
