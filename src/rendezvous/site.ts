/**
 * The web pages: the shell's files on the shell's host, `/.porthole/…` on a content host, and a 404 for everything
 * else there. Whatever bypassed a service worker arrives here with a device's path, query and cookies; none of them
 * is logged, reflected or answered (browser-proxying.md 0.5 and 2).
 */
import type { IncomingMessage } from "node:http";
import type { HttpBindings } from "@hono/node-server";
import { Hono } from "hono";
import type { Page } from "./assets.ts";
import { COMMON_HEADERS } from "./headers.ts";
import { type Origins, type Site, siteOf } from "./origins.ts";

/** What happened, in numbers only. */
export interface SiteCounts {
  served: number;
  /** Requests to content hosts for anything that is not ours. */
  strayed: number;
  /** Requests with a Host that is not ours, or with a made-up target. */
  foreign: number;
}

export interface SiteOptions {
  readonly origins: Origins;
  readonly pages: ReadonlyMap<string, Page>;
  readonly counts: SiteCounts;
}

type Env = { Bindings: HttpBindings };

const OURS = "/.porthole/";
// A refusal ends the connection, and with it a body that nobody reads.
const TEXT_HEADERS = {
  ...COMMON_HEADERS,
  "content-type": "text/plain; charset=utf-8",
  "connection": "close",
};

/** The hono app. It reads the raw target and Host of `node:http`, never hono's URL, which both could bend. */
export function createSite(options: SiteOptions): Hono<Env> {
  const { origins, counts } = options;
  const app = new Hono<Env>();
  app.use("*", async (context, next) => {
    if (requestSite(context.env.incoming, origins) !== "foreign") return await next();
    counts.foreign += 1;
    return plain(421, `Nothing is served under this name. The start page is ${origins.shell}/\n`);
  });
  app.get("*", (context) => page(context.env.incoming, options));
  app.all("*", (context) => {
    if (requestSite(context.env.incoming, origins) === "content") return strayed(counts);
    return plain(405, "Only GET is answered here.\n", { allow: "GET, HEAD" });
  });
  app.onError(() => plain(500, "The rendezvous failed to answer.\n"));
  return app;
}

/** Which site a request is for: `foreign` unless it has one Host of ours and a target in origin form (RFC 9112 3.2). */
export function requestSite(request: IncomingMessage, origins: Origins): Site {
  const { rawHeaders, url } = request;
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && /^host$/i.test(name));
  if (hosts.length !== 1 || url === undefined || !url.startsWith("/")) return "foreign";
  return siteOf(request.headers.host, origins);
}

function page(request: IncomingMessage, options: SiteOptions): Response {
  const { origins, pages, counts } = options;
  const path = request.url!.split("?", 1)[0]!;
  const isContent = requestSite(request, origins) === "content";
  const found = pages.get(isContent ? contentKey(path) : shellKey(path));
  if (found === undefined) {
    return isContent ? strayed(counts) : plain(404, "There is no such page.\n");
  }
  counts.served += 1;
  if (isKnown(request.headers["if-none-match"], found.tag)) {
    return new Response(null, { status: 304, headers: found.headers });
  }
  return new Response(found.body, { headers: found.headers });
}

function shellKey(path: string): string {
  return path === "/" ? "shell/index.html" : `shell${path}`;
}

function contentKey(path: string): string {
  return path.startsWith(OURS) ? `content/${path.slice(OURS.length)}` : "";
}

/** RFC 9110 13.1.2, with the weak comparison that it asks for. */
function isKnown(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  return header.split(",").map((one) => one.trim().replace(/^W\//, ""))
    .some((one) => one === tag || one === "*");
}

function strayed(counts: SiteCounts): Response {
  counts.strayed += 1;
  return plain(404, "There is nothing here.\n");
}

function plain(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(text, { status, headers: { ...TEXT_HEADERS, ...headers } });
}
