/**
 * Addresses on the device's LAN that are the service's own: pages have them written down, and mean themselves. Here they are
 * found at the content origin. Pure; shared by the service worker and injected code.
 */

/** What an address is compared with. */
export interface Origins {
  /** The service's own on its LAN, as the agent says; empty for none. */
  readonly lan: string;
  /** The content origin. */
  readonly own: string;
}

const SECURE = /^(?:https|wss):$/;

/**
 * The address at the content origin (http or https, for WebSockets as well); undefined for one that is not the service's.
 * Browsers make https of http in a page of an https origin, and keep the port.
 */
export function atOwnOrigin(url: URL, { lan, own }: Origins): string | undefined {
  const service = URL.parse(lan);
  if (service === null || !/^(?:https?|wss?):$/.test(url.protocol)) return undefined;
  if (url.host !== service.host || url.username !== "" || url.password !== "") return undefined;
  const isSecure = SECURE.test(url.protocol);
  const isUpgraded = isSecure && own.startsWith("https:");
  if (isSecure !== SECURE.test(service.protocol) && !isUpgraded) return undefined;
  return own + url.href.slice(`${url.protocol}//${url.host}`.length);
}

/** Whether a host may be one on a LAN: an address, or a name that no public zone has. */
export function isLanHost(hostname: string): boolean {
  if (hostname.startsWith("[") || /^[\d.]+$/.test(hostname)) return true;
  return !hostname.includes(".") ||
    /\.(?:local|lan|home|internal|localdomain|home\.arpa|test)$/.test(hostname);
}

/** What the agent says, if it is an origin; empty for everything else. */
export function readOrigin(text: string | undefined): string {
  const url = URL.parse(text ?? "");
  const isOrigin = url !== null && /^https?:$/.test(url.protocol) && url.origin === text;
  return isOrigin ? url.origin : "";
}
