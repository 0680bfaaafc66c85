/**
 * A page that sends no referrers looks to the service worker like a stranger (`web/sw/doorway.ts`). The worker has
 * changed its header; this changes the same words in its `<meta>`: to itself it sends one, to others still none.
 */

const SENDS_NONE = /^\s*(?:no-referrer|never)\s*$/i;

/** Watches the page while it is read, and its head from then on. */
export function sendReferrersToItself(): void {
  const observer = new MutationObserver(() => relax(document));
  observer.observe(document, { childList: true, subtree: true });
  addEventListener("DOMContentLoaded", () => {
    observer.disconnect();
    relax(document);
    if (document.head !== null) observer.observe(document.head, { childList: true });
  }, { once: true });
}

function relax(page: Document): void {
  for (const meta of page.querySelectorAll<HTMLMetaElement>(`meta[name="referrer" i]`)) {
    if (SENDS_NONE.test(meta.content)) meta.content = "same-origin";
  }
}
