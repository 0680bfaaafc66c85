/**
 * Frames that their page gave no origin (`sandbox` without `allow-same-origin`): no browser shows their requests to a
 * service worker, and to give them the page's origin would let loose what the page wants held. So a frame with an address
 * of the device says in words why it is empty; one with its own text shows that, and loads nothing from a server.
 */
import { trustedHtml } from "./trusted.ts";
import { escapeHtml } from "../sw/error_page.ts";

/** Without a server: what stands in the text itself, and in `data:` and `blob:` addresses. */
const POLICY = `<meta http-equiv="Content-Security-Policy" content="default-src data: blob: ` +
  `'unsafe-inline' 'unsafe-eval'">`;

/** Whether a frame has no origin. */
export function isSandboxed(frame: HTMLIFrameElement): boolean {
  return frame.hasAttribute("sandbox") && !frame.sandbox.contains("allow-same-origin");
}

/** Puts words, or a policy, where requests would pass the tunnel. */
export function takeSandboxed(frame: HTMLIFrameElement): void {
  if (frame.hasAttribute("srcdoc")) {
    const { srcdoc } = frame;
    if (!srcdoc.includes(POLICY) && !srcdoc.includes(WORDS)) {
      frame.srcdoc = trustedHtml(withPolicy(srcdoc));
    }
    return;
  }
  const url = URL.parse(frame.src);
  if (url?.origin === self.origin && url.protocol !== "blob:") {
    frame.srcdoc = trustedHtml(words(url.pathname));
  }
}

const WORDS = "porthole cannot show this part of the page.";

function words(path: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8">${POLICY}` +
    `<style>:root { color-scheme: light dark; font: 14px/1.5 system-ui, sans-serif; }</style>` +
    `<p>${WORDS} It is a sandboxed frame, and browsers do not let those be tunnelled.` +
    `<p>On the device it is at <code>${escapeHtml(path)}</code>.`;
}

/** Behind a doctype, which would be lost otherwise. */
function withPolicy(text: string): string {
  const doctype = /^\s*<!doctype[^>]*>/i.exec(text)?.[0] ?? "";
  return doctype + POLICY + text.slice(doctype.length);
}
