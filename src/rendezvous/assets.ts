/**
 * The files of the shell and of the content origins, made ready once at start: origins filled in, tags computed. Pure
 * but for the hash.
 */
import { createHash } from "node:crypto";
import { type Bytes, utf8 } from "../lib/bytes.ts";
import type { Origins } from "./origins.ts";
import { bridgeHeaders, COMMON_HEADERS, SERVICE_WORKER_HEADERS, shellHeaders } from "./headers.ts";

/** A file as `main` hands it in. */
export interface Asset {
  readonly bytes: Uint8Array;
  /** Media type, with its charset for text. */
  readonly type: string;
}

/** A file as it is served. */
export interface Page {
  readonly body: Bytes;
  readonly tag: string;
  readonly headers: Readonly<Record<string, string>>;
}

const FILLED_IN = /^(?:text\/html|text\/javascript|application\/javascript)\b/;

/** Makes `shell/…` and `content/…` ready. Other assets belong to other parts and are not served. */
export function prepareAssets(
  assets: ReadonlyMap<string, Asset>,
  origins: Origins,
): ReadonlyMap<string, Page> {
  const ours = [...assets].filter(([key]) => /^(?:shell|content)\//.test(key));
  return new Map(ours.map(([key, asset]) => [key, preparePage(key, asset, origins)]));
}

function preparePage(key: string, asset: Asset, origins: Origins): Page {
  const body = FILLED_IN.test(asset.type)
    ? fillIn(asset.bytes, origins)
    : new Uint8Array(asset.bytes);
  const tag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
  const headers = {
    "content-type": asset.type,
    "etag": tag,
    ...COMMON_HEADERS,
    ...siteHeaders(key, asset.type, origins),
  };
  return { body, tag, headers };
}

function fillIn(bytes: Uint8Array, origins: Origins): Bytes {
  const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  return utf8(
    text.replaceAll("__SHELL_ORIGIN__", origins.shell)
      .replaceAll("__CONTENT_ORIGIN__", origins.content),
  );
}

function siteHeaders(key: string, type: string, origins: Origins): Record<string, string> {
  if (key.startsWith("shell/")) return shellHeaders(origins);
  if (key === "content/sw.js") return SERVICE_WORKER_HEADERS;
  return type.startsWith("text/html") ? bridgeHeaders(origins) : {};
}
