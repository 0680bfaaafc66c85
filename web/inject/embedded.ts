/**
 * `object` and `embed`: browsers show what these load to no service worker (browser-proxying.md 3.1). The same comes as a
 * frame: inside of the `object`, which shows its children when it has no data of its own; in the place of an `embed`.
 */

const EMBED_ATTRIBUTES = ["id", "class", "style", "title", "width", "height", "name"];
const replaced = new WeakMap<Element, HTMLIFrameElement | HTMLImageElement>();

/** Replaces one that loads from a server, which our policy forbids (web/sw/csp.ts). */
export function replaceEmbedded(element: HTMLObjectElement | HTMLEmbedElement): void {
  const name = element.localName === "object" ? "data" : "src";
  const url = addressOf(element, name);
  if (url === undefined) return;
  element.removeAttribute(name);
  const content = contentElement(element, url);
  for (const type of ["load", "error"]) {
    content.addEventListener(type, () => element.dispatchEvent(new Event(type)));
  }
  if (element.localName === "embed") return element.replaceWith(content);
  replaced.get(element)?.remove();
  replaced.set(element, content);
  fillObject(element as HTMLObjectElement, content);
}

/** Keeps from a page what becomes of the browser's own way, which our policy forbids. For "error", in the capture phase. */
export function hideRefusal(event: Event): void {
  const { target } = event;
  if (!event.isTrusted || !isElement(target)) return;
  const isLoading = target.localName === "object" && addressOf(target, "data") !== undefined;
  if (isLoading || replaced.has(target)) event.stopImmediatePropagation();
}

/** Of whatever global. */
function isElement(target: EventTarget | null): target is Element {
  return target !== null && "localName" in target;
}

/** What it loads from a server. */
function addressOf(element: Element, name: string): string | undefined {
  const value = element.getAttribute(name);
  const url = value === null ? null : URL.parse(value, element.baseURI);
  return url !== null && /^https?:$/.test(url.protocol) ? url.href : undefined;
}

/** A picture stays one; everything else is a page of its own. */
function contentElement(element: Element, url: string): HTMLIFrameElement | HTMLImageElement {
  const type = element.getAttribute("type") ?? "";
  const isPicture = /^image\/(?!svg)/i.test(type);
  const content = element.ownerDocument.createElement(isPicture ? "img" : "iframe");
  content.src = url;
  if (element.localName === "embed") {
    for (const name of EMBED_ATTRIBUTES) {
      const value = element.getAttribute(name);
      if (value !== null) content.setAttribute(name, value);
    }
  }
  content.style.border = "0";
  return content;
}

function fillObject(element: HTMLObjectElement, content: HTMLElement): void {
  if (getComputedStyle(element).display === "inline") element.style.display = "inline-block";
  for (const side of ["width", "height"] as const) {
    const given = element.getAttribute(side);
    if (given !== null && element.style[side] === "") {
      element.style[side] = /%\s*$/.test(given) ? given : `${Number.parseFloat(given)}px`;
    }
    const isSized = given !== null || element.style[side] !== "";
    if (isSized || content.localName === "iframe") content.style[side] = isSized ? "100%" : "";
  }
  content.style.display = "block";
  for (const child of [...element.children]) {
    if (child.localName !== "param") (child as HTMLElement).hidden = true; // the page's own fallback
  }
  element.prepend(content);
  if (!(content instanceof HTMLIFrameElement)) return;
  const inside = {
    contentDocument: () => content.contentDocument,
    contentWindow: () => content.contentWindow,
  };
  for (const [name, get] of Object.entries(inside)) {
    Object.defineProperty(element, name, { get, configurable: true });
  }
  Object.defineProperty(element, "getSVGDocument", {
    value: () => content.contentDocument,
    configurable: true,
  });
}
