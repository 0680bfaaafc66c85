import { isIP, isIPv4, isIPv6 } from "node:net";
import { UNIX_PATH_LIMIT_BYTES } from "./limits.ts";

/** What makes an HTTPS service the right one. `sha256` is of the certificate (DER), 64 hexadecimal digits. */
export type TlsTrust =
  | { readonly type: "system" }
  | { readonly type: "ca"; readonly pem: string }
  | { readonly type: "pinned"; readonly sha256: string }
  | { readonly type: "unverified" };

/** Where a service listens. Written by the device's owner and never by a browser. `tls` is "system" if absent. */
export type Target =
  | { readonly type: "http"; readonly hostname: string; readonly port: number }
  | {
    readonly type: "https";
    readonly hostname: string;
    readonly port: number;
    readonly tls?: TlsTrust;
  }
  | { readonly type: "unix"; readonly path: string };

const DEFAULT_PORT = { http: 80, https: 443 } as const;
const NETWORK_TARGET = /^(https?):\/\/(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/;
// An underscore is no host name (RFC 1123 2.1), but container networks use it.
const HOST_LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/i;
const HOST_LIMIT_CHARACTERS = 253; // RFC 1035 2.3.4, without the lengths
const NUMBER_LIKE = /(^|\.)(\d+|0x[0-9a-f]*)\.?$/i; // what a URL parser would read as an IPv4 address
// deno-lint-ignore no-control-regex -- control characters are what it refuses
const PATH_CONTROL = /[\x00-\x1f\x7f]/;

/**
 * Reads a service's target: `http://host[:port]`, `https://host[:port]` or `unix:/path`.
 * Throws a SyntaxError that says what to write instead.
 */
export function parseTarget(text: string): Target {
  if (text.startsWith("unix:")) return parseUnix(text);
  if (text.startsWith("tcp:")) {
    throw refusal(
      text,
      "plain TCP services are not supported yet; give an http, https or unix one",
    );
  }
  if (!/^https?:\/\//.test(text)) {
    throw refusal(text, "it must begin with http://, https:// or unix:/");
  }
  return parseNetwork(text);
}

function parseNetwork(text: string): Target {
  if (text.includes("@")) {
    throw refusal(undefined, "a user name or password has no place in it; leave out all before @");
  }
  const bare = text.replace(/(?<!\/)\/$/, "");
  if (/[/?#\\]/.test(bare.slice(bare.indexOf("://") + 3))) {
    throw refusal(text, "a path is not supported; end it after the host and port");
  }
  const [, type, host, portText] = NETWORK_TARGET.exec(bare) ?? [];
  if ((type !== "http" && type !== "https") || host === undefined) {
    throw refusal(text, "write it like http://192.168.1.5:8080");
  }
  const port = portText === undefined ? DEFAULT_PORT[type] : Number(portText);
  if (port < 1 || port > 65535) throw refusal(text, "the port must be between 1 and 65535");
  return { type, hostname: parseHost(text, host), port };
}

function parseHost(text: string, host: string): string {
  if (host.startsWith("[")) {
    const address = host.slice(1, -1);
    if (isIPv6(address) && !address.includes("%")) return address;
    throw refusal(text, "what stands in brackets must be an IPv6 address");
  }
  if (isIPv4(host)) return host;
  if (NUMBER_LIKE.test(host)) {
    throw refusal(text, "an IPv4 address has four decimal numbers, like 192.168.1.5");
  }
  const isName = host.length <= HOST_LIMIT_CHARACTERS &&
    host.replace(/\.$/, "").split(".").every((label) => HOST_LABEL.test(label));
  if (!isName) throw refusal(text, "the host name is not one");
  return host.toLowerCase();
}

function parseUnix(text: string): Target {
  const path = text.slice("unix:".length);
  if (!path.startsWith("/") || path.startsWith("//")) {
    throw refusal(text, "give the socket's absolute path, like unix:/run/x.sock");
  }
  if (PATH_CONTROL.test(path)) throw refusal(text, "the path has control characters");
  if (new TextEncoder().encode(path).length > UNIX_PATH_LIMIT_BYTES) {
    throw refusal(text, `the path is longer than ${UNIX_PATH_LIMIT_BYTES} bytes`);
  }
  return { type: "unix", path };
}

/** `text` is undefined where it may hold a password. */
function refusal(text: string | undefined, reason: string): SyntaxError {
  const what = text === undefined ? "this service target" : `the service target ${quote(text)}`;
  return new SyntaxError(`Cannot use ${what}: ${reason}`);
}

function quote(text: string): string {
  return JSON.stringify(text.length > 120 ? text.slice(0, 120) + "…" : text);
}

/** The name or address of the target. Unix sockets are "localhost". */
export function hostOf(target: Target): string {
  return target.type === "unix" ? "localhost" : target.hostname;
}

/** What belongs into `Host`: no port where it is the scheme's own (RFC 9110 7.2). Unix sockets are "localhost". */
export function authorityOf(target: Target): string {
  if (target.type === "unix") return hostOf(target);
  const host = isIP(target.hostname) === 6 ? `[${target.hostname}]` : target.hostname;
  return target.port === DEFAULT_PORT[target.type] ? host : `${host}:${target.port}`;
}

/** The origin that a browser on the LAN would see. */
export function originOf(target: Target): string {
  return `${target.type === "https" ? "https" : "http"}://${authorityOf(target)}`;
}

/** The target in words, for errors and the log of the device. */
export function describeTarget(target: Target): string {
  return target.type === "unix" ? `unix:${target.path}` : originOf(target);
}
