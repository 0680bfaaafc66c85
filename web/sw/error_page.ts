/**
 * What a person sees instead of a device's page: which service, why, and what to do. Pure. Requests that are not
 * navigations get the same as plain text.
 */
import type { StreamCode } from "../../src/protocol/errors.ts";

/** A stream's code, or what only this side can know. */
export type Failure =
  | StreamCode
  | "no_bridge"
  | "body_too_large"
  | "unknown_coding"
  | "interrupted";

/** What happened, in words, and what to do about it. */
interface Explanation {
  readonly status: number;
  /** Follows the service's name in the heading; "is not available" if absent. */
  readonly heading?: string;
  readonly reason: string;
  readonly remedy: string;
}

const EXPLANATIONS: Readonly<Record<Failure, Explanation>> = {
  cancelled: {
    status: 503,
    reason: "The request was given up before it was answered.",
    remedy: "Load the page again.",
  },
  protocol: {
    status: 502,
    reason: "The answer arrived damaged or incomplete.",
    remedy: "Load the page again. If it stays like this, the device and this page do not fit " +
      "together: update porthole on the device.",
  },
  limit: {
    status: 503,
    reason: "Too many requests are open at once.",
    remedy: "Close other tabs of this device and try again.",
  },
  service_unknown: {
    status: 502,
    reason: "The device has no service of this name, or you may not open it.",
    remedy: "Look at the device's list of services, or ask its owner for access.",
  },
  upstream_unreachable: {
    status: 502,
    reason: "Nothing answers at the service's address.",
    remedy: "Check that the service is running and that its target in porthole.toml is right.",
  },
  upstream_timeout: {
    status: 504,
    reason: "The service accepted the connection and then said nothing for too long.",
    remedy: "It may be busy or stuck: wait a little and try again, or restart it.",
  },
  upstream_tls: {
    status: 502,
    reason: "The service's certificate is not the one that is trusted for it.",
    remedy: "If the certificate was renewed, trust the new one in porthole.toml.",
  },
  upstream_broken: {
    status: 502,
    reason: "The service broke off, or what it says is not HTTP.",
    remedy: "Check that its target in porthole.toml is a web service (http or https?).",
  },
  upstream_refused_socket: {
    status: 502,
    reason: "The service refused the WebSocket.",
    remedy: "Check its own log: it may want a login first.",
  },
  internal: {
    status: 502,
    reason: "The agent on the device failed.",
    remedy: "Its log on the device says why: journalctl -u porthole.",
  },
  session_closed: {
    status: 503,
    reason: "The connection to the device was lost.",
    remedy: "It is being set up again; this page tries again by itself.",
  },
  request_too_large: {
    status: 431,
    reason: "The page's request has a head of more than 32 KiB.",
    remedy: "Its cookies or headers have grown too long: clear this page's data, or shorten them.",
  },
  answer_too_large: {
    status: 502,
    reason: "The head of the service's answer is longer than 32 KiB.",
    remedy: "Check the service: it may set too many or too long headers or cookies.",
  },
  not_allowed: {
    status: 403,
    heading: "is lent for looking only",
    reason: "This was lent to you for looking only, and what you did would change something.",
    remedy: "Go back to look on. If you need to operate it, ask whoever lent it for a link that " +
      "allows that.",
  },
  no_bridge: {
    status: 503,
    reason: "There is no connection to the device.",
    remedy: "Open the device in porthole and keep that tab open; this page tries again by itself.",
  },
  body_too_large: {
    status: 413,
    reason: "This browser must hold an upload in memory, and this one is too large for that.",
    remedy: "Upload it in parts, or use a browser that streams uploads (Chromium).",
  },
  interrupted: {
    status: 502,
    reason: "The browser broke off while this was sent: whether the device took it is not known.",
    remedy: "Look whether it did, and send it again if not.",
  },
  unknown_coding: {
    status: 502,
    reason: "The service compressed its answer in a way that was not asked for.",
    remedy: "Switch off its brotli or zstd compression, or let it honour Accept-Encoding.",
  },
};

const NOT_AVAILABLE = "is not available";

/** Seconds after which a page that waits for its connection loads itself again. */
const RETRY_SECONDS = 3;

/** Which failures pass by themselves. */
const RETRIED: ReadonlySet<Failure> = new Set(["session_closed", "no_bridge"]);

/** The answer to a request that failed. */
export function errorResponse(
  failure: Failure,
  request: { title: string; navigation: boolean; method: string; shellOrigin: string },
): Response {
  const { status, heading = NOT_AVAILABLE, reason, remedy } = EXPLANATIONS[failure];
  const service = request.title === "" ? "This service" : request.title;
  const headers = { "cache-control": "no-store", "x-porthole-error": failure };
  if (!request.navigation) {
    return new Response(`${service}: ${reason} ${remedy}\n`, {
      status,
      headers: { ...headers, "content-type": "text/plain; charset=utf-8" },
    });
  }
  const retry = RETRIED.has(failure) && request.method === "GET";
  const html = page({ service, heading, reason, remedy, retry, shellOrigin: request.shellOrigin });
  return new Response(html, {
    status,
    headers: {
      ...headers,
      "content-type": "text/html; charset=utf-8",
      "content-security-policy":
        `default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self' ${request.shellOrigin}`,
    },
  });
}

function page(
  words: {
    service: string;
    heading: string;
    reason: string;
    remedy: string;
    retry: boolean;
    shellOrigin: string;
  },
): string {
  const service = escapeHtml(words.service);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
${words.retry ? `<meta http-equiv="refresh" content="${RETRY_SECONDS}">` : ""}
<title>${service} ${words.heading}</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
html { background: Canvas; color: CanvasText; }
body { max-width: 34rem; margin: 15vh auto 0; padding: 0 1.5rem; }
h1 { font-size: 1.25rem; }
a { color: inherit; }
</style>
<h1>${service} ${words.heading}</h1>
<p>${escapeHtml(words.reason)}</p>
<p>${escapeHtml(words.remedy)}</p>
<p><a href="${escapeHtml(words.shellOrigin)}/" target="_top">porthole</a></p>
`;
}

/** Text as it may stand in HTML, in attributes as well. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
