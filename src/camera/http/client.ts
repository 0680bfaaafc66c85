/**
 * Asks a camera over HTTP, with its password by Basic or Digest. The password goes to the host that
 * the person wrote, and nowhere else: redirects stay on it.
 */
import { randomBytes } from "node:crypto";
import { type IncomingMessage, request as requestHttp, type RequestOptions } from "node:http";
import { request as requestHttps } from "node:https";
import { toHex } from "../../lib/bytes.ts";
import {
  basicAuthorization,
  digestAuthorization,
  parseChallenges,
  pickMethod,
  toByteString,
} from "../../lib/http_auth.ts";
import type { Clock } from "../clock.ts";
import { CameraError } from "../source.ts";
import { type HttpTarget, parseHttpUrl } from "./url.ts";

/** Until the head of the answer. */
export const HEAD_LIMIT_MS = 10_000;
const MAX_REDIRECTS = 3;
/** Node refuses a head above it with an error. */
const MAX_HEAD_BYTES = 16 * 1024;

/** Gives the answer with status 200, its body unread. Rejects with a CameraError, or when aborted. */
export async function ask(
  target: HttpTarget,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<IncomingMessage> {
  let place = target;
  let authorization: string | undefined;
  for (let redirects = 0; redirects <= MAX_REDIRECTS;) {
    const answer = await send(place, { authorization, clock, signal });
    const status = answer.statusCode ?? 0;
    if (status === 200) return answer;
    answer.destroy();
    if (status === 401 && authorization === undefined) {
      authorization = authorize(place, answer.headers["www-authenticate"]);
      if (authorization !== undefined) continue;
    }
    const { location } = answer.headers;
    if (status < 300 || status >= 400 || location === undefined) throw refused(status);
    place = follow(place, location);
    authorization = undefined;
    redirects++;
  }
  throw new CameraError("unsupported", "Cannot show camera: it redirects in a circle");
}

function send(
  place: HttpTarget,
  { authorization, clock, signal }: {
    authorization: string | undefined;
    clock: Clock;
    signal: AbortSignal;
  },
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options: RequestOptions = {
      ...{ host: place.host, port: place.port, path: place.path, agent: false },
      headers: { ...(authorization === undefined ? {} : { authorization }), accept: "*/*" },
      maxHeaderSize: MAX_HEAD_BYTES,
      signal,
    };
    const outgoing = place.secure ? requestHttps(options) : requestHttp(options);
    const cancel = clock.after(HEAD_LIMIT_MS, () => {
      const reason = `no answer in ${HEAD_LIMIT_MS} ms`;
      reject(new CameraError("unreachable", `Cannot reach camera: ${reason}`));
      outgoing.destroy();
    });
    outgoing.on("response", (answer) => {
      cancel();
      answer.on("error", () => {}); // whoever reads it hears of it there
      resolve(answer);
    });
    outgoing.on("error", (cause: Error & { code?: unknown }) => {
      cancel();
      const reason = typeof cause.code === "string" ? cause.code : "connection failed";
      const code = reason.startsWith("HPE_") ? "broken" : "unreachable"; // llhttp: no HTTP, or too much
      reject(new CameraError(code, `Cannot reach camera: ${reason}`, { cause }));
    });
    outgoing.end();
  });
}

function authorize(place: HttpTarget, challenge: string | undefined): string | undefined {
  const method = challenge === undefined ? undefined : pickMethod(parseChallenges([challenge]));
  if (method === undefined || place.credentials === undefined) return undefined;
  const known = {
    user: toByteString(place.credentials.user),
    password: toByteString(place.credentials.password),
  };
  if (method.type === "basic") return basicAuthorization(known);
  const clientNonce = toHex(randomBytes(8));
  return digestAuthorization(method, known, {
    method: "GET",
    uri: place.path,
    count: 1,
    clientNonce,
  });
}

function follow(from: HttpTarget, location: string): HttpTarget {
  const base = `${from.secure ? "https" : "http"}://${
    from.host.includes(":") ? `[${from.host}]` : from.host
  }:${from.port}${from.path}`;
  const url = URL.parse(location, base);
  const to = url === null ? undefined : parseHttpUrl(url.href);
  if (to === undefined || to.host !== from.host || (from.secure && !to.secure)) {
    const remedy = "write that one as the camera's address";
    throw new CameraError(
      "unsupported",
      `Cannot show camera: it redirects to another host: ${remedy}`,
    );
  }
  const { credentials: _, ...place } = to;
  return from.credentials === undefined ? place : { ...place, credentials: from.credentials };
}

function refused(status: number): CameraError {
  if (status === 401 || status === 403) {
    const remedy = "check user and password in the camera's address";
    return new CameraError("unauthorised", `Cannot show camera: it answers ${status}: ${remedy}`);
  }
  const [code, remedy] = status === 404
    ? ["unreachable", "check the path in the camera's address"] as const
    : status === 503
    ? ["busy", "it serves others: close another viewer"] as const
    : ["broken", "unexpected answer"] as const;
  return new CameraError(code, `Cannot show camera: it answers ${status}: ${remedy}`);
}
