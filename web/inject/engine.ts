/**
 * Which engine this is, where what passes a service worker differs and nothing that a page may ask would tell without a
 * request that slips past. Firefox shows a service worker synchronous XMLHttpRequests; within the sandboxed frame of the
 * shell it shows none of what `about:` and `blob:` documents load. The property is one that only its windows have.
 */
export const IS_FIREFOX: boolean = "mozInnerScreenX" in globalThis;
