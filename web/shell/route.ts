/**
 * The shell's addresses (DESIGN 5). Pure: text in, a value out, and back. The first `#` is ours; everything after
 * `/s/SERVICE` is the device's own URL, byte for byte, its own `#fragment` included.
 */

/** Where the person is. */
export type Route =
  | { readonly view: "devices" }
  | { readonly view: "pair" | "borrow"; readonly link: string }
  | { readonly view: "device" | "people" | "lend"; readonly device: string }
  | {
    readonly view: "service";
    readonly device: string;
    readonly service: string;
    /** Begins with "/"; query and fragment included. */
    readonly path: string;
  }
  | { readonly view: "unknown" };

// The texts behind them hold secrets. PAIR_FRAGMENT and BORROW_FRAGMENT (src/trust) are the same, without "#".
const PAIR = "#pair=";
const BORROW = "#borrow=";
const DEVICE = /^#\/d\/([a-z2-7]{26})\/?$/; // a device id: 26 characters of base32 (src/trust)
const OWNERS = /^#\/d\/([a-z2-7]{26})\/(people|lend)\/?$/;
const SERVICE = /^#\/d\/([a-z2-7]{26})\/s\/([a-z0-9][a-z0-9-]{0,31})(?![a-z0-9-])(.*)$/s; // ids as in control_codec.ts

/** An address longer than this is not ours; Chromium itself stops at 2 MiB. */
export const MAX_HASH_LENGTH = 64 * 1024;

/** Reads `location.hash`. Anything else than the routes above is `unknown`, never a guess. */
export function parseRoute(hash: string): Route {
  if (hash === "" || hash === "#" || hash === "#/") return { view: "devices" };
  if (hash.length > MAX_HASH_LENGTH) return { view: "unknown" };
  if (hash.startsWith(PAIR)) return { view: "pair", link: hash.slice(PAIR.length) };
  if (hash.startsWith(BORROW)) return { view: "borrow", link: hash.slice(BORROW.length) };
  const device = DEVICE.exec(hash)?.[1];
  if (device !== undefined) return { view: "device", device };
  const [, owned, page] = OWNERS.exec(hash) ?? [];
  if (owned !== undefined && page !== undefined) {
    return { view: page as "people" | "lend", device: owned }; // the pattern has no third word
  }
  const [, owner, service, rest] = SERVICE.exec(hash) ?? [];
  if (owner === undefined || service === undefined || rest === undefined) {
    return { view: "unknown" };
  }
  const path = devicePath(rest);
  return path === undefined
    ? { view: "unknown" }
    : { view: "service", device: owner, service, path };
}

/** Whether an address holds a secret: it leaves the address bar, and with it the history, before anything else happens. */
export function isSecret(hash: string): boolean {
  return hash.startsWith(PAIR) || hash.startsWith(BORROW);
}

/** The hash of a route; a link with a secret is never written back. */
export function formatRoute(route: Route): string {
  switch (route.view) {
    case "device":
      return `#/d/${route.device}`;
    case "people":
    case "lend":
      return `#/d/${route.device}/${route.view}`;
    case "service":
      return `#/d/${route.device}/s/${route.service}${route.path}`;
    case "devices":
    case "pair":
    case "borrow":
    case "unknown":
      return "#/";
  }
}

/** A path as the device's page has it; undefined for text that cannot follow an origin. */
function devicePath(rest: string): string | undefined {
  if (rest === "") return "/";
  if (rest.startsWith("/")) return rest;
  // "…/s/ui?x=1": a person left out the slash that every URL has.
  return rest.startsWith("?") || rest.startsWith("#") ? `/${rest}` : undefined;
}
