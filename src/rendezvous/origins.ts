/**
 * The two kinds of origin (DESIGN 6) and which one a request's Host names. Pure. A request is judged by its Host header
 * alone: the runtime's own idea of the URL follows an absolute-form target, which a client makes up.
 */

/** Where a request belongs. */
export type Site = "shell" | "content" | "foreign";

/** The configured origins in the forms that the parts need. */
export interface Origins {
  /** `http://porthole.localhost:8080` */
  readonly shell: string;
  /** `porthole.localhost:8080`: a Host header, which names no default port. */
  readonly shellHost: string;
  /** `ws://porthole.localhost:8080`, for connect-src. */
  readonly shellSocket: string;
  /** `http://*.porthole.localhost:8080`: a source expression of CSP Level 3 2.3.1. */
  readonly content: string;
  /** `.porthole.localhost:8080` */
  readonly contentSuffix: string;
}

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/; // RFC 1123 2.1
const STAND_IN = "label";

/** Reads the two options. Throws an Error that says which is wrong and how it should look. */
export function readOrigins(shell: string, content: string): Origins {
  const shellUrl = readOrigin(shell, "--origin", "http://porthole.localhost:8080");
  const example = "http://*.porthole.localhost:8080";
  const pattern = /^(https?:\/\/)\*(\.[^*.][^*]*)$/.exec(content);
  if (pattern === null) throw badOrigin(content, "--content-origin", example);
  const contentUrl = readOrigin(
    pattern[1]! + STAND_IN + pattern[2]!,
    "--content-origin",
    example,
  );
  const origins = {
    shell: shellUrl.origin,
    shellHost: shellUrl.host,
    shellSocket: shellUrl.origin.replace(/^http/, "ws"),
    content: contentUrl.origin.replace(STAND_IN, "*"),
    contentSuffix: contentUrl.host.slice(STAND_IN.length),
  };
  if (isContentHost(origins.shellHost, origins)) {
    throw new Error(
      `Cannot use origin '${shell}': the content origin '${content}' covers it, so a device's page could stand beside the keys`,
    );
  }
  return origins;
}

/** Which site a Host header names. */
export function siteOf(host: string | undefined, origins: Origins): Site {
  if (host === undefined) return "foreign";
  const name = host.toLowerCase();
  if (name === origins.shellHost) return "shell";
  return isContentHost(name, origins) ? "content" : "foreign";
}

/**
 * Whether the shell and device pages are of one site (HTML 7.1.1, schemeful). Without the Public Suffix List: names under
 * a common "co.uk" are told apart, those of one hoster's customers are not.
 */
export function shareSite(shell: string, content: string): boolean {
  const [one, other] = [new URL(shell), new URL(content.replace("*", STAND_IN))];
  const labels = (url: URL) => url.hostname.split(".").reverse();
  const [first, second] = [labels(one), labels(other)];
  const differs = first.findIndex((label, index) => label !== second[index]);
  const common = differs < 0 ? first.length : differs;
  const isPublic = /^\w{2}$/.test(first[0] ?? "") && /^\w{1,3}$/.test(first[1] ?? "");
  return one.protocol === other.protocol && common >= (isPublic ? 3 : 2);
}

function isContentHost(host: string, origins: Origins): boolean {
  return host.endsWith(origins.contentSuffix) &&
    LABEL.test(host.slice(0, -origins.contentSuffix.length));
}

function readOrigin(text: string, option: string, example: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isWeb = url?.protocol === "http:" || url?.protocol === "https:";
  if (url === undefined || !isWeb || url.href !== url.origin + "/") {
    throw badOrigin(text, option, example);
  }
  return url;
}

function badOrigin(text: string, option: string, example: string): Error {
  return new Error(`Cannot use ${option} '${text}': it is not an origin like ${example}`);
}
