/**
 * A device's Content-Security-Policy, changed for exactly what we put into its pages: the shell may frame the page, our one
 * script may run in it, our downloads and workers' sockets may be asked for, reports stay away from the network. Pure.
 * Everything else that the device forbids stays forbidden.
 */
import { DOWNLOAD_PATH, SOCKET_PATH } from "./port_messages.ts";

/** What a page's policy must not forbid. */
export interface PolicyNeeds {
  readonly shellOrigin: string;
  /** Absolute URL of our script. */
  readonly script: string;
  /** A fresh nonce for it, used only where a policy ignores URLs ("strict-dynamic"). */
  readonly nonce: string;
  /** The service's origin on its LAN; empty for none. */
  readonly lan?: string;
}

type Directive = readonly [name: string, ...sources: string[]];

/**
 * The first two ask the browser to leave http, which is right for the device's origin and wrong for ours. Reports are sent
 * past the service worker: they would take the addresses of the device's pages to the rendezvous.
 */
const DROPPED = new Set([
  "upgrade-insecure-requests",
  "block-all-mixed-content",
  "report-uri",
  "report-to",
]);

/** Paths of ours that pages ask for, by the directives that may forbid them (CSP3 6.8.3), narrowest first. */
const OUR_PATHS: readonly (readonly [directives: readonly string[], path: string])[] = [
  [["frame-src", "child-src", "default-src"], DOWNLOAD_PATH],
  [["connect-src", "default-src"], SOCKET_PATH],
];

/** Adapts one header value, which may hold several policies separated by commas (CSP3 2.2). */
export function adaptPolicies(value: string, needs: PolicyNeeds): string {
  return value.split(",").map((policy) => adaptPolicy(policy, needs)).filter((policy) =>
    policy !== ""
  ).join(", ");
}

function adaptPolicy(policy: string, needs: PolicyNeeds): string {
  const directives = parse(policy).filter(([name]) => !DROPPED.has(name));
  const adapted = directives.map((directive) =>
    directive[0] === "frame-ancestors" ? allow(directive, needs.shellOrigin) : directive
  );
  return write(allowTrusted(allowData(allowPaths(allowScript(adapted, needs), needs))));
}

/** A copy of what is in effect under the narrowest name, with one path more; not where all of our origin is allowed. */
function allowPaths(directives: Directive[], { script }: PolicyNeeds): Directive[] {
  let result = directives;
  for (const [names, path] of OUR_PATHS) {
    const inEffect = names.map((name) => result.find((one) => one[0] === name)).find(Boolean);
    if (inEffect === undefined || inEffect.slice(1).some((one) => /^(?:'self'|\*)$/i.test(one))) {
      continue;
    }
    const narrowest = names[0]!; // no list is empty
    const allowed = allow([narrowest, ...inEffect.slice(1)], new URL(path, script).href);
    result = [...result.filter(([name]) => name !== narrowest), allowed];
  }
  return result;
}

/** A `data:` worker becomes a `blob:` one here (web/inject/workers.ts). */
function allowData(directives: Directive[]): Directive[] {
  const workers = directives.find(([name]) => name === "worker-src");
  if (workers === undefined || !workers.includes("data:") || workers.includes("blob:")) {
    return directives;
  }
  return directives.map((one) => one === workers ? allow(one, "blob:") : one);
}

/** Names of our own policies (web/inject/trusted.ts), where the page lists those that it lets be made. */
function allowTrusted(directives: Directive[]): Directive[] {
  return directives.map((one) =>
    one[0] === "trusted-types" ? allow(allow(one, "porthole"), "porthole-worker") : one
  );
}

/**
 * The policy that is added to every page. Browsers show no service worker what `object` and `embed` load from a server;
 * web/inject/embedded.ts puts a frame in the place of what is refused here.
 */
export const PAGE_POLICY = "object-src blob: data:";

/**
 * The policy that is added where a page has https and its service has not: what has the service's address written down
 * would be blocked before the service worker is shown it.
 */
export const UPGRADING_POLICY = "upgrade-insecure-requests";

/**
 * The policy that is added to a page whose own one takes its origin away: no browser shows a service worker what such a
 * page loads, so it must not load it.
 */
export const BOXED_POLICY = "default-src data: blob: 'unsafe-inline' 'unsafe-eval'";

/** Whether a header value takes the page's origin away (CSP3 6.3.2). */
export function takesOrigin(value: string): boolean {
  return value.split(",").flatMap(parse).some(([name, ...flags]) =>
    name === "sandbox" && !flags.some((flag) => flag.toLowerCase() === "allow-same-origin")
  );
}

/** X-Frame-Options as a policy that can name the shell (RFC 7034 2.1, CSP3 6.4.2); undefined for what browsers ignore. */
export function framePolicy(value: string, shellOrigin: string): string | undefined {
  const option = value.trim().toLowerCase();
  if (option === "deny") return `frame-ancestors ${shellOrigin}`;
  return option === "sameorigin" ? `frame-ancestors 'self' ${shellOrigin}` : undefined;
}

/** Only the first directive of a name counts (CSP3 2.2.1). */
function parse(policy: string): Directive[] {
  const seen = new Map<string, Directive>();
  for (const text of policy.split(";")) {
    const [name, ...sources] = text.trim().split(/[\t\n\f\r ]+/);
    const key = name!.toLowerCase(); // split gives at least one item
    if (key !== "" && !seen.has(key)) seen.set(key, [key, ...sources]);
  }
  return [...seen.values()];
}

function write(directives: readonly Directive[]): string {
  return directives.map((directive) => directive.join(" ")).join("; ");
}

/** Adds a source; 'none' means nothing beside another source and would be a warning. */
function allow([name, ...sources]: Directive, source: string): Directive {
  return [name, ...sources.filter((present) => present.toLowerCase() !== "'none'"), source];
}

/**
 * `script-src-elem` falls back to `script-src` and that to `default-src` (CSP3 6.8.3). A copy of whatever is in effect
 * under the narrowest name lets one script element in and opens nothing for workers, eval or event handlers.
 */
function allowScript(directives: Directive[], needs: PolicyNeeds): Directive[] {
  const find = (name: string) => directives.find((directive) => directive[0] === name);
  const inEffect = find("script-src-elem") ?? find("script-src") ?? find("default-src");
  if (inEffect === undefined) return directives;
  const sources = inEffect.slice(1);
  const strict = sources.some((source) => source.toLowerCase() === "'strict-dynamic'");
  // A nonce switches 'unsafe-inline' off, and 'strict-dynamic' has done that already.
  const source = strict ? `'nonce-${needs.nonce}'` : needs.script;
  const others = directives.filter(([name]) => name !== "script-src-elem");
  return [...others, allow(["script-src-elem", ...sources], source)];
}
