/**
 * A finished synchronous XMLHttpRequest: the browser's own object, which was opened but never sent, with the answer's
 * properties on it and the events that it would have fired.
 */
import type { SyncHead } from "./sync_channel.ts";

/** XMLHttpRequest.DONE. */
const DONE = 4;
const XML = /^(?:text|application)\/(?:[\w.+-]+\+)?xml\b/i;
/** What an answer puts on a request, and what `open` takes off again. */
const SHOWN = ["readyState", "status", "statusText", "responseURL", "response", "responseText"]
  .concat("responseXML", "getResponseHeader", "getAllResponseHeaders");

export interface SyncAnswer {
  readonly head: SyncHead;
  readonly body: Uint8Array;
  /** What the page said by `overrideMimeType`; empty if nothing. */
  readonly type: string;
}

/** Puts it on, and tells whoever listens. */
export function showAnswer(request: XMLHttpRequest, { head, body, type }: SyncAnswer): void {
  const find = (name: string) =>
    head.headers.filter(([key]) => key === name.toLowerCase()).map(([, value]) => value)
      .join(", ") || null;
  const contentType = type || find("content-type") || "text/xml"; // XMLHttpRequest 3.7.2
  const text = decode(body, contentType);
  const isXml = XML.test(contentType);
  const values: Record<string, () => unknown> = {
    readyState: () => DONE,
    status: () => head.status,
    statusText: () => head.statusText,
    responseURL: () => head.url.split("#", 1)[0],
    response: () => text,
    responseText: () => text,
    responseXML: () => isXml ? parseXml(text) : null,
    getResponseHeader: () => find,
    getAllResponseHeaders: () => () => head.headers.map(([a, b]) => `${a}: ${b}\r\n`).join(""),
  };
  for (const name of SHOWN) {
    Object.defineProperty(request, name, { get: values[name]!, configurable: true });
  }
  const sizes = { lengthComputable: true, loaded: body.length, total: body.length };
  request.dispatchEvent(new Event("readystatechange"));
  request.dispatchEvent(new ProgressEvent("load", sizes));
  request.dispatchEvent(new ProgressEvent("loadend", sizes));
}

/** Makes it the browser's own again. */
export function hideAnswer(request: XMLHttpRequest): void {
  for (const name of SHOWN) Reflect.deleteProperty(request, name);
}

function decode(body: Uint8Array, contentType: string): string {
  const label = /;\s*charset\s*=\s*"?([\w:.-]+)/i.exec(contentType)?.[1] ?? "utf-8";
  try {
    return new TextDecoder(label).decode(body);
  } catch {
    return new TextDecoder().decode(body); // no encoding that browsers know
  }
}

function parseXml(text: string): Document | null {
  const parsed = new DOMParser().parseFromString(text, "application/xml");
  return parsed.querySelector("parsererror") === null ? parsed : null;
}
