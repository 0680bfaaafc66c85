/**
 * The page in place of a redirect that leads to another service of the same device. That one has an origin, a bridge and a
 * view of its own, and pages of one service may not act at another: a person's click opens the shell there. Pure.
 */
import { askingPage } from "./doorway.ts";
import { escapeHtml } from "./error_page.ts";
import type { Elsewhere } from "./own_headers.ts";

/** What the shell's address of a service begins with (web/shell/route.ts). */
const VIEW = /^[^#]*\/#\/d\/[a-z2-7]{26}\/s\//;

/** `address`: where the shell shows the service that answered; the way there is left out where it is none. */
export function elsewhereResponse(
  { service, path }: Elsewhere,
  { title, address, shellOrigin }: { title: string; address: string; shellOrigin: string },
): Response {
  const view = address.startsWith(`${shellOrigin}/`) ? VIEW.exec(address)?.[0] : undefined;
  const from = escapeHtml(title === "" ? "This service" : title);
  const way = view === undefined
    ? "<p>Open it from the device’s list of services.</p>"
    : `<p><a id="open" href="${
      escapeHtml(view + service + path)
    }" target="_blank" rel="noopener">Open it</a></p>`;
  const html = askingPage(
    "Another service",
    `<h1>${from} leads to another service of this device: ${escapeHtml(service)}</h1>
<p><code>${escapeHtml(path)}</code></p>
${way}`,
  );
  return new Response(html, {
    headers: {
      "cache-control": "no-store",
      "content-type": "text/html; charset=utf-8",
      "content-security-policy":
        // Of no origin: the page that led here may neither click for the person nor read where the shell is.
        `default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; ` +
        `sandbox allow-popups allow-popups-to-escape-sandbox; frame-ancestors ${shellOrigin}`,
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    },
  });
}
