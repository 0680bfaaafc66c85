/**
 * The local admin API: HTTP over a unix socket in the state folder, for `porthole pair`, `status` and the like on the
 * same machine. Whoever may open the socket may do everything, so its rights are the lock: 0600 in the owner's folder.
 * No page in a browser and no other origin can reach a unix socket; what looks as if it came from one is refused anyway.
 */
import { lstat, mkdir, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { connect } from "node:net";
import process from "node:process";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { toBase64Url, utf8 } from "../lib/bytes.ts";
import type { Log } from "../lib/log.ts";
import { addPeopleRoutes, type PeopleActions } from "./admin_routes.ts";
import { adminSocketPath, MAX_SOCKET_PATH_BYTES } from "./admin_socket.ts";
import type { Knowledge } from "./clock.ts";
import { OwnerRequestError } from "./owner_error.ts";

/** What the admin API is able to do; `main` connects it. A RangeError's message goes to the person who asked. */
export interface AdminActions extends PeopleActions {
  /** Opens a pairing window. */
  pair(forMs: number): Promise<AdminLink>;
  status(): AdminStatus;
  /** A JPEG of what the camera shows now. */
  snapshot(camera: string, signal: AbortSignal): Promise<Uint8Array>;
  /** What the doctor finds, looked at from inside: the same files, network and rights that people's sessions have. */
  doctor?(): Promise<{ readonly findings: readonly object[] }>;
}

/** A link that lets somebody in. */
export interface AdminLink {
  /** A secret, for as long as it holds. */
  readonly url: string;
  readonly id: string;
  /** ISO 8601, by this device's clock. */
  readonly expires: string;
}

/** A link that lends. */
export interface AdminLent extends AdminLink {
  /** Nobody knew the time: not `expires` counts, but the time that was asked for, from a guest's first visit on. */
  readonly begins?: "first-visit";
}

export interface AdminStatus {
  readonly device: string;
  /** Of the device's key: `Identity.fingerprint`. */
  readonly fingerprint: string;
  readonly name: string;
  readonly rendezvous: { readonly url: string; readonly state: string };
  readonly sessions: number;
  readonly owners: number;
  /** How well the device knows the time: people who were lent something may depend on it. */
  readonly clock: Knowledge;
  readonly services: readonly string[];
  readonly cameras: readonly string[];
}

export interface AdminOptions extends AdminActions {
  /** The state folder. */
  readonly state: string;
  readonly log: Log;
}

export interface Admin {
  close(): Promise<void>;
}

export type AdminEnv = { Bindings: HttpBindings };

/** Bytes of a request's body: the longest command is a line of JSON. */
const MAX_BODY_BYTES = 4 * 1024;
/** A whole request; the client is on this machine. */
const REQUEST_TIMEOUT_MS = 5_000;
/** Time in which a living process accepts a connection. */
const LIVE_CHECK_MS = 1_000;
/** A camera may have to start first, and a slow one sends a key frame each 20 s. */
const SNAPSHOT_LIMIT_MS = 25_000;
const CAMERA_ID = /^[a-z0-9][a-z0-9-]{0,31}$/;
const OWNER_ONLY_UMASK = 0o177;

/** Opens the socket. Throws an Error with a remedy, above all when porthole runs with this folder already. */
export async function startAdmin(options: AdminOptions): Promise<Admin> {
  const path = adminSocketPath(options.state);
  if (utf8(path).length > MAX_SOCKET_PATH_BYTES) {
    throw new Error(
      `Cannot open '${path}': the path of a socket has at most ${MAX_SOCKET_PATH_BYTES} bytes. Choose a shorter --state`,
    );
  }
  await mkdir(options.state, { recursive: true, mode: 0o700 });
  const server = createAdminServer(options);
  await listenAlone(server, path, options.state);
  server.on("error", () => {}); // one connection that could not be accepted; the next may
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve()); // removes the socket file too
        server.closeAllConnections();
      }),
  };
}

function createAdminServer(options: AdminOptions): Server {
  const app = createAdminApp(options);
  const listener = getRequestListener(app.fetch, {
    overrideGlobalObjects: false,
    autoCleanupIncoming: false, // `connection: close` ends what nobody read
    errorHandler: () => new Response(null, { status: 400 }),
  });
  const limits = { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS };
  return createServer(limits, (request, response) => {
    listener(request, response).catch(() => response.destroy());
  });
}

/** The routes, without the socket. */
function createAdminApp(options: AdminOptions): Hono<AdminEnv> {
  const { pair, status, snapshot, doctor, log } = options;
  const app = new Hono<AdminEnv>();
  app.use("*", async (context, next) => {
    context.header("connection", "close"); // one command, one connection
    const isOurs = looksLocal(context.env.incoming);
    return isOurs
      ? await next()
      : context.json({ error: "Cannot answer: not a local command" }, 403);
  });
  app.use(
    "*",
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: (context) => context.json({ error: "Cannot read the request: it is too long" }, 413),
    }),
  );
  app.get("/status", (context) => context.json(status()));
  if (doctor !== undefined) app.get("/doctor", async (context) => context.json(await doctor()));
  app.post("/pair", async (context) => {
    const seconds = readSeconds(await context.req.json().catch(() => undefined));
    if (seconds === undefined) {
      return context.json({ error: 'Cannot open pairing window: expected {"for": seconds}' }, 400);
    }
    return context.json(await pair(seconds * 1000));
  });
  app.post("/snapshot", async (context) => {
    const camera = readCamera(await context.req.json().catch(() => undefined));
    if (camera === undefined) {
      return context.json({ error: 'Cannot take a picture: expected {"camera": id}' }, 400);
    }
    const jpeg = await snapshot(
      camera,
      AbortSignal.any([
        context.req.raw.signal,
        AbortSignal.timeout(SNAPSHOT_LIMIT_MS),
      ]),
    );
    return context.json({ jpeg: toBase64Url(jpeg) });
  });
  addPeopleRoutes(app, options);
  app.notFound((context) => context.json({ error: "Cannot answer: no such command" }, 404));
  app.onError((error, context) => {
    const isForPeople = error instanceof RangeError || error instanceof OwnerRequestError;
    if (isForPeople) return context.json({ error: error.message }, 400);
    log.error("admin.failed", { error: String(error) });
    return context.json({ error: "Cannot answer: porthole failed, its log says more" }, 500);
  });
  return app;
}

/** What `adminRequest` sends, and nothing that a browser or a proxy would add (security.md 2, CSRF and rebinding). */
function looksLocal({ headers, method, url }: IncomingMessage): boolean {
  const foreign = ["origin", "referer", "upgrade", "x-forwarded-for", "sec-fetch-site"];
  if (foreign.some((name) => headers[name] !== undefined)) return false;
  if (headers.host !== "localhost" || !url?.startsWith("/")) return false;
  return method === "GET" || headers["content-type"] === "application/json";
}

function readCamera(body: unknown): string | undefined {
  const camera = typeof body === "object" && body !== null && "camera" in body ? body.camera : "";
  return typeof camera === "string" && CAMERA_ID.test(camera) ? camera : undefined;
}

function readSeconds(body: unknown): number | undefined {
  if (typeof body !== "object" || body === null || Object.keys(body).length !== 1) return undefined;
  const seconds = "for" in body ? body.for : undefined;
  return Number.isSafeInteger(seconds) ? seconds as number : undefined;
}

/** Listens, in place of a dead process if need be. Two that start at once: the later one sees the earlier one live. */
async function listenAlone(server: Server, path: string, state: string): Promise<void> {
  try {
    return await listen(server, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") {
      throw new Error(`Cannot open '${path}': ${(error as Error).message}`, { cause: error });
    }
  }
  if (await isAlive(path)) {
    throw new Error(
      `Cannot start in '${state}': porthole is already running with this state folder. Stop it or choose another --state`,
    );
  }
  await removeStale(path);
  await listen(server, path);
}

async function removeStale(path: string): Promise<void> {
  const isSocket = (await lstat(path)).isSocket();
  if (!isSocket) {
    throw new Error(
      `Cannot open '${path}': a file that is no socket is in its place. Move it away`,
    );
  }
  await rm(path);
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    const before = process.umask(OWNER_ONLY_UMASK); // the file is bound before `listen` returns: never open to others
    server.listen(path, () => {
      server.off("error", reject);
      resolve();
    });
    process.umask(before);
  });
}

/** Whether somebody accepts connections there. A process too busy to do so in time lives. */
function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const settle = (alive: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(alive);
    };
    const timer = setTimeout(() => settle(true), LIVE_CHECK_MS);
    socket.once("connect", () => settle(true));
    socket.once("error", (error: NodeJS.ErrnoException) => {
      settle(error.code !== "ECONNREFUSED" && error.code !== "ENOENT");
    });
  });
}
