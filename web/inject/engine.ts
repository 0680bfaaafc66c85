/**
 * Firefox shows a service worker what Chromium does not: the requests of `about:blank` and `blob:` documents, and those of
 * a synchronous XMLHttpRequest (browser-proxying.md 3.1). Nothing that a page may ask tells the two apart without a request
 * that could slip past, so a property does that only Firefox's windows have.
 */
export const IS_FIREFOX: boolean = "mozInnerScreenX" in globalThis;
