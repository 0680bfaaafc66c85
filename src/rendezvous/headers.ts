/** Security headers of what the rendezvous serves. Pure. */
import type { Origins } from "./origins.ts";

/**
 * On every file. `no-cache` asks again each time and gets a 304: a service worker script that a cache held back would
 * keep an old proxy alive (browser-proxying.md 1.3, the edge lesson).
 */
export const COMMON_HEADERS = {
  "cache-control": "no-cache",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
} as const;

/** The script stands in a folder and must control the whole origin. No CSP: it would bind the worker's own fetches. */
export const SERVICE_WORKER_HEADERS = { "service-worker-allowed": "/" };

// Only what reaches beyond the page. Others keep their defaults, so that a device's page in a frame may still be
// granted full screen or the clipboard by the shell's `allow` attribute. The microphone is for talking to a camera.
const PERMISSIONS = [
  "camera=()",
  "display-capture=()",
  "geolocation=()",
  "hid=()",
  "microphone=(self)",
  "midi=()",
  "payment=()",
  "serial=()",
  "usb=()",
].join(", ");

/** The shell holds the keys: our files only, device pages only in frames of content origins, nobody frames it. */
export function shellHeaders(origins: Origins): Record<string, string> {
  return {
    "content-security-policy": [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "worker-src 'self'",
      `connect-src 'self' ${origins.shellSocket}`, // 'self' does not match ws: everywhere (CSP3 6.7.2.8)
      "img-src 'self' data: blob:",
      "media-src 'self' blob: mediastream:",
      "font-src 'self'",
      "manifest-src 'self'",
      `frame-src ${origins.content}`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join("; "),
    // Same-origin, so that no other site may load it; a process and an event loop of its own (DESIGN 6).
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin-allow-popups",
    "origin-agent-cluster": "?1",
    "permissions-policy": PERMISSIONS,
  };
}

/** Our page on a content origin: it runs our script, and only the shell may frame it. */
export function bridgeHeaders(origins: Origins): Record<string, string> {
  return {
    "content-security-policy": [
      "default-src 'none'",
      "script-src 'self'",
      "worker-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      `frame-ancestors ${origins.shell}`,
    ].join("; "),
  };
}
