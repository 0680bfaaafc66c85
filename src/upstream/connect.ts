import { Agent } from "node:http";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { createHash } from "node:crypto";
import { StreamError } from "../protocol/errors.ts";
import { abortFailure, failureOf, handshakeFailureOf } from "./failure.ts";
import {
  CONNECT_LIMIT_MS,
  IDLE_SOCKET_LIMIT_MS,
  IDLE_SOCKETS,
  TCP_KEEPALIVE_MS,
} from "./limits.ts";
import { describeTarget, type Target, type TlsTrust } from "./target.ts";

type HttpsTarget = Extract<Target, { type: "https" }>;

/**
 * A connection to the target, trusted and ready to be written to; the certificate was compared before any byte of a
 * request leaves. Rejects with a StreamError after `limitMs` milliseconds at the latest.
 */
export function connect(
  target: Target,
  signal: AbortSignal,
  { limitMs = CONNECT_LIMIT_MS }: { limitMs?: number } = {},
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(abortFailure(signal));
    const doing = `connect to ${describeTarget(target)}`;
    const toFailure = target.type === "https" ? handshakeFailureOf : failureOf;
    const socket = dial(target);
    const timer = setTimeout(() => {
      give(new StreamError("upstream_timeout", `Cannot ${doing}: no answer in ${limitMs} ms`));
    }, limitMs);
    const onAbort = () => give(abortFailure(signal));
    const onClose = () => give(new StreamError("upstream_broken", `Cannot ${doing}: closed`));

    function give(outcome: unknown): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      socket.off("close", onClose);
      if (outcome === socket) return resolve(socket);
      socket.destroy();
      reject(toFailure(outcome, doing));
    }
    // Stays for the socket's life: a late error must never be without a listener.
    socket.on("error", (error) => give(error));
    socket.on("close", onClose);
    signal.addEventListener("abort", onAbort);
    socket.once(target.type === "https" ? "secureConnect" : "connect", () => {
      give((target.type === "https" && pinFailure(target, socket as TLSSocket)) || socket);
    });
  });
}

function dial(target: Target): Socket {
  if (target.type === "unix") return connectTcp({ path: target.path });
  const address = { host: target.hostname, port: target.port };
  const socket = target.type === "http"
    ? connectTcp(address)
    : connectTls({ ...address, ALPNProtocols: ["http/1.1"], ...trustOptions(target.tls) });
  socket.setNoDelay(true);
  socket.setKeepAlive(true, TCP_KEEPALIVE_MS);
  return socket;
}

function trustOptions(tls: TlsTrust | undefined): { ca?: string; rejectUnauthorized: boolean } {
  switch (tls?.type) {
    case "ca":
      return { ca: tls.pem, rejectUnauthorized: true };
    case "pinned": // compared by `pinFailure`; names, dates and issuers do not matter then
    case "unverified":
      return { rejectUnauthorized: false };
    default:
      return { rejectUnauthorized: true };
  }
}

function pinFailure(target: HttpsTarget, socket: TLSSocket): StreamError | undefined {
  if (target.tls?.type !== "pinned") return undefined;
  const { raw } = socket.getPeerCertificate(true);
  const shown = raw && createHash("sha256").update(raw).digest("hex");
  if (shown === target.tls.sha256.replaceAll(":", "").toLowerCase()) return undefined;
  return new StreamError(
    "upstream_tls",
    `Cannot trust ${describeTarget(target)}: its certificate is ${shown ?? "absent"}, ` +
      `the pinned one is another; check the device and pin the new one if it is right`,
  );
}

/** Node's pool of connections, filled by `connect`. With `keep`, a few idle ones wait for the next request. */
export class TargetAgent extends Agent {
  readonly #target: Target;
  readonly #limitMs: number | undefined;
  readonly #closing = new AbortController();

  constructor(target: Target, { keep, limitMs }: { keep: boolean; limitMs?: number }) {
    // No `maxSockets`: event streams would starve the rest. The gate smooths bursts instead.
    super({ keepAlive: keep, maxFreeSockets: IDLE_SOCKETS, timeout: IDLE_SOCKET_LIMIT_MS });
    this.#target = target;
    this.#limitMs = limitMs;
  }

  /** Called by Node for each request that finds no idle connection. */
  override createConnection(
    _options: unknown,
    callback?: (error: Error | null, socket: Socket) => void,
  ): undefined {
    connect(this.#target, this.#closing.signal, { limitMs: this.#limitMs }).then(
      (socket) => callback?.(null, socket),
      (error) => callback?.(error, undefined as unknown as Socket), // as Node calls it
    );
  }

  /** Closes all connections, those in use and those on their way included. */
  override destroy(): void {
    this.#closing.abort();
    super.destroy();
  }
}
