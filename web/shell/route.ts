/**
 * The shell's addresses (DESIGN 5). Pure: text in, a value out, and back. The first `#` is ours; everything after
 * `/s/SERVICE` is the device's own URL, byte for byte, its own `#fragment` included.
 */

/** Where the person is. */
export type Route =
  | { readonly view: "devices" }
  | { readonly view: "pair"; readonly link: string }
  | { readonly view: "device"; readonly device: string }
  | {
    readonly view: "service";
    readonly device: string;
    readonly service: string;
    /** Begins with "/"; query and fragment included. */
    readonly path: string;
  }
  | { readonly view: "unknown" };

const PAIR = "#pair=";
const DEVICE = /^#\/d\/([a-z2-7]{26})\/?$/; // a device id: 26 characters of base32 (src/trust)
const SERVICE = /^#\/d\/([a-z2-7]{26})\/s\/([a-z0-9][a-z0-9-]{0,31})(?![a-z0-9-])(.*)$/s; // ids as in control_codec.ts

/** An address longer than this is not ours; Chromium itself stops at 2 MiB. */
export const MAX_HASH_LENGTH = 64 * 1024;

/** Reads `location.hash`. Anything else than the routes above is `unknown`, never a guess. */
export function parseRoute(hash: string): Route {
  if (hash === "" || hash === "#" || hash === "#/") return { view: "devices" };
  if (hash.length > MAX_HASH_LENGTH) return { view: "unknown" };
  if (hash.startsWith(PAIR)) return { view: "pair", link: hash.slice(PAIR.length) };
  const device = DEVICE.exec(hash)?.[1];
  if (device !== undefined) return { view: "device", device };
  const [, owner, service, rest] = SERVICE.exec(hash) ?? [];
  if (owner === undefined || service === undefined || rest === undefined) {
    return { view: "unknown" };
  }
  const path = devicePath(rest);
  return path === undefined
    ? { view: "unknown" }
    : { view: "service", device: owner, service, path };
}

/** The hash of a route; a pairing link is never written back. */
export function formatRoute(route: Route): string {
  switch (route.view) {
    case "device":
      return `#/d/${route.device}`;
    case "service":
      return `#/d/${route.device}/s/${route.service}${route.path}`;
    case "devices":
    case "pair":
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
