/**
 * Workers that a page makes out of text of its own: no service worker is asked for a `blob:` or `data:` script, so our
 * script is put in front of it here. A script from the device comes through the service worker, which does the same
 * (web/sw/worker_script.ts). A `data:` worker gets the page's origin by this, else nothing of it could be tunnelled.
 */
import { importLine, trustedScriptUrl } from "./trusted.ts";
import { INJECT_PATH } from "../sw/inject_html.ts";
import { BLOB_PATH } from "../sw/port_messages.ts";
import { IS_FIREFOX } from "./engine.ts";

/** Blobs whose addresses are remembered; a page that makes more has its oldest workers without tunnelled WebSockets. */
const MAX_BLOBS = 4096;

interface Made {
  readonly blob: Blob;
  /** Addresses of the same with our script in front, by how that is loaded; a shared worker is found by its address. */
  readonly wrapped: Map<string, string>;
}

const made = new Map<string, Made>();

/** Blob of an address that this page made; undefined for any other. For frames, which browsers leave to the network. */
export function blobOf(url: string): Blob | undefined {
  return made.get(url)?.blob;
}

/** Replaces the constructors in this global, and watches which blobs get addresses. `origin` is the page's. */
export function wrapWorkers(origin: string): void {
  watchBlobs(URL);
  const script = origin + INJECT_PATH;
  for (const name of ["Worker", "SharedWorker"] as const) {
    const native = globalThis[name];
    if (native === undefined) continue; // not in every worker, and not in every browser
    // Firefox leaves a shared worker that comes out of a blob without a service worker.
    const serve = IS_FIREFOX && name === "SharedWorker"
      ? (url: string) => `${origin}${BLOB_PATH}?${new URLSearchParams({ url })}`
      : (url: string) => url;
    Object.defineProperty(globalThis, name, {
      value: wrapConstructor(native, { script, serve }),
      configurable: true,
      writable: true,
    });
  }
}

type WorkerConstructor = typeof Worker | typeof SharedWorker;

function wrapConstructor(
  native: WorkerConstructor,
  { script, serve }: { script: string; serve(url: string): string },
): WorkerConstructor {
  const face: WorkerConstructor = new Proxy(native, {
    construct(target, [url, options, ...rest]: unknown[], newTarget): object {
      const type = (options as WorkerOptions | undefined)?.type;
      const wrapped = wrap(
        String(url),
        type === "module" ? `import "${script}";` : importLine(script),
      );
      const values = wrapped === undefined
        ? [url, options, ...rest]
        : [trustedScriptUrl(serve(wrapped)), options];
      return Reflect.construct(target, values, newTarget === face ? target : newTarget);
    },
  });
  native.prototype.constructor = face;
  return face;
}

/** Address of a script with ours on its first line, so that lines keep their numbers; undefined for what the service worker is asked for. */
function wrap(url: string, prefix: string): string | undefined {
  const entry = made.get(url) ?? dataEntry(url);
  if (entry === undefined) return undefined;
  const known = entry.wrapped.get(prefix);
  if (known !== undefined) return known;
  const address = createObjectUrl(new Blob([prefix, entry.blob], { type: "text/javascript" }));
  entry.wrapped.set(prefix, address);
  return address;
}

function dataEntry(url: string): Made | undefined {
  const parts = /^data:([^,]*),(.*)$/is.exec(url);
  if (parts === null) return undefined;
  const bytes = decodeData(parts[1]!, parts[2]!.split("#", 1)[0]!); // both groups always match
  return bytes && remember(url, new Blob([bytes]));
}

/** RFC 2397; undefined for what is no base64, which the browser refuses by itself. */
function decodeData(header: string, text: string): Uint8Array<ArrayBuffer> | undefined {
  const raw = text.replace(
    /%([0-9a-f]{2})/gi,
    (_all, hex: string) => String.fromCharCode(parseInt(hex, 16)),
  );
  try {
    if (!/;\s*base64\s*$/i.test(header)) return toBytes(raw);
    return Uint8Array.from(atob(raw), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

/** Characters that were written plainly are UTF-8, those that were escaped are bytes. */
function toBytes(raw: string): Uint8Array<ArrayBuffer> {
  const isLatin = [...raw].every((character) => character.charCodeAt(0) < 0x100);
  return isLatin
    ? Uint8Array.from(raw, (character) => character.charCodeAt(0))
    : new TextEncoder().encode(raw);
}

/** The browser's own. */
export const createObjectUrl: typeof URL.createObjectURL = URL.createObjectURL.bind(URL);
/** The browser's own. */
export const revokeObjectUrl: typeof URL.revokeObjectURL = URL.revokeObjectURL.bind(URL);

/** Watches the blobs of another global, whose workers are made by this one's constructors. */
export function shareBlobs(url: typeof URL): void {
  watchBlobs(url);
}

function watchBlobs(url: typeof URL): void {
  url.createObjectURL = new Proxy(url.createObjectURL, {
    apply(target, self, [source, ...rest]: [Blob, ...unknown[]]) {
      const url = Reflect.apply(target, self, [source, ...rest]) as string;
      if (Object.prototype.toString.call(source) !== "[object MediaSource]") remember(url, source);
      return url;
    },
  });
  url.revokeObjectURL = new Proxy(url.revokeObjectURL, {
    apply(target, self, [url, ...rest]: unknown[]) {
      forget(String(url));
      return Reflect.apply(target, self, [url, ...rest]);
    },
  });
}

function remember(url: string, blob: Blob): Made {
  const entry: Made = { blob, wrapped: new Map() };
  made.set(url, entry);
  if (made.size > MAX_BLOBS) {
    for (const oldest of made.keys()) return forget(oldest), entry;
  }
  return entry;
}

function forget(url: string): void {
  const wrapped = made.get(url)?.wrapped.values() ?? [];
  made.delete(url);
  for (const address of wrapped) revokeObjectUrl(address);
}
