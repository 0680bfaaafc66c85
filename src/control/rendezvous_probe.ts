/**
 * Looks at a rendezvous without registering: does somebody answer, is it a rendezvous, what time does it say it is. For
 * the doctor; what goes wrong is said for people.
 */
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
// @ts-types="npm:@types/ws@8.18.2"
import { WebSocket } from "ws";
import { MAX_SIGNAL_LENGTH, parseToDevice } from "../protocol/signal.ts";
import { deviceUrl, isPortal } from "./rendezvous_url.ts";

export type RendezvousProbe =
  | { readonly kind: "good"; readonly date?: number }
  | (Trouble & { readonly kind: "bad"; readonly date?: number });

interface Trouble {
  readonly reason: string;
  readonly remedy: string;
  /** Its certificate does not hold yet by this machine's clock. */
  readonly early?: boolean;
}

const NETWORK = "connect this machine to the network, and see that it has a DNS server";
const ADDRESS = "start the rendezvous, or correct 'rendezvous'";
const LOGIN = "log in to this network with a browser, or correct 'rendezvous'";
const CERTIFICATE = "see that its certificate is for this name and known here; in a network that " +
  "wants a login first, log in";

/** What an error of the network or of TLS says, on either runtime. */
const TROUBLES: readonly (readonly [RegExp, Trouble])[] = [
  [/CERT_NOT_YET_VALID|NotValidYet/i, {
    reason: "its certificate does not hold yet",
    remedy: "set this machine's clock",
    early: true,
  }],
  [/CERT_HAS_EXPIRED|Expired/, {
    reason: "its certificate has expired, or this machine's clock is ahead",
    remedy: "renew the certificate; see the clock of this machine",
  }],
  [/CERT|UNABLE_TO|certificate|ERR_TLS/i, {
    reason: "its certificate is not trusted here",
    remedy: CERTIFICATE,
  }],
  [/ENOTFOUND|EAI_AGAIN|failed to lookup/, { reason: "its name is not known", remedy: NETWORK }],
  [/ENETUNREACH|EHOSTUNREACH/, { reason: "there is no way to it", remedy: NETWORK }],
  [/ECONNREFUSED/, { reason: "nobody listens at its address", remedy: ADDRESS }],
];

/** Never rejects. Throws an Error for a URL that cannot be dialled. */
export async function probeRendezvous(url: string, signal: AbortSignal): Promise<RendezvousProbe> {
  const address = deviceUrl(url);
  const date = await dateOf(address, signal);
  const known = date === undefined ? {} : { date };
  const trouble = await dial(address, signal);
  return trouble === undefined ? { kind: "good", ...known } : { kind: "bad", ...trouble, ...known };
}

/** What the answer to a plain request says; whoever answers has a clock. */
function dateOf(address: string, signal: AbortSignal): Promise<number | undefined> {
  const url = new URL("/", address.replace(/^ws/, "http"));
  const request = url.protocol === "https:" ? requestHttps : requestHttp;
  return new Promise((resolve) => {
    const outgoing = request(url, { method: "HEAD", agent: false, signal }, (incoming) => {
      incoming.resume();
      outgoing.destroy();
      const date = Date.parse(incoming.headers.date ?? "");
      resolve(Number.isNaN(date) ? undefined : date);
    });
    outgoing.on("error", () => resolve(undefined));
    outgoing.end();
  });
}

/** Waits for the first word of a rendezvous: a challenge. */
function dial(address: string, signal: AbortSignal): Promise<Trouble | undefined> {
  return new Promise((resolve) => {
    const socket = new WebSocket(address, {
      maxPayload: MAX_SIGNAL_LENGTH,
      perMessageDeflate: false,
    });
    const settle = (trouble?: Trouble) => {
      signal.removeEventListener("abort", late);
      resolve(trouble);
      socket.terminate();
    };
    const late = () => settle({ reason: "it does not answer", remedy: ADDRESS });
    signal.addEventListener("abort", late);
    if (signal.aborted) late();
    socket.on("message", (data) => {
      const isOurs = parseToDevice(String(data))?.type === "challenge";
      settle(isOurs ? undefined : foreign("something else"));
    });
    socket.on("error", (error: NodeJS.ErrnoException) => settle(troubleOf(error)));
    socket.on("close", () => settle({ reason: "it hangs up at once", remedy: ADDRESS }));
  });
}

function troubleOf(error: NodeJS.ErrnoException): Trouble {
  if (isPortal(error.message)) return foreign("a web page: perhaps a captive portal");
  const text = `${error.code ?? ""} ${error.message}`;
  const known = TROUBLES.find(([pattern]) => pattern.test(text));
  return known?.[1] ?? { reason: `it cannot be used (${error.message})`, remedy: ADDRESS };
}

function foreign(what: string): Trouble {
  return { reason: `what answers in its place is ${what}`, remedy: LOGIN };
}
