/**
 * The address of the service on its LAN, where its pages have it written down: what loads goes by way of the service worker
 * (web/sw/lan_requests.ts); where a person or a script goes is changed here, for a navigation to another origin is shown to
 * nobody. Left out: `form.submit()` with POST, and `location` in a browser without the Navigation API.
 */
import { LAN_ATTRIBUTE } from "../sw/inject_html.ts";
import { atOwnOrigin } from "../sw/lan_address.ts";
import type { Realm } from "./realm.ts";

/** Our tag, while this file is run first: of a page it has the address. */
const tag = typeof document === "undefined" ? null : document.currentScript;

/** The service's origin on its LAN; empty for none. */
export const LAN_ORIGIN: string = tag?.getAttribute(LAN_ATTRIBUTE) ?? "";
tag?.removeAttribute(LAN_ATTRIBUTE);

/** As much of the Navigation API as is used. */
interface NavigateEvent extends Event {
  readonly destination: { readonly url: string };
  readonly formData: FormData | null;
  readonly navigationType: string;
}

/** The same address at this origin; undefined for one that is not the service's on its LAN. */
export function ownAddress(url: URL | null): string | undefined {
  if (url === null || LAN_ORIGIN === "") return undefined;
  return atOwnOrigin(url, { lan: LAN_ORIGIN, own: self.origin });
}

/** Keeps links, forms and `location` of a global at this origin. Call once for each. */
export function stayAtOwnOrigin(realm: Realm): void {
  if (LAN_ORIGIN === "") return;
  realm.addEventListener("click", (event) => turnLink(event, realm), true);
  realm.addEventListener("auxclick", (event) => turnLink(event, realm), true);
  realm.addEventListener("submit", (event) => turnForm(event, realm), true);
  const { navigation } = realm as { navigation?: EventTarget };
  navigation?.addEventListener(
    "navigate",
    (event) => turnNavigation(event as NavigateEvent, realm),
  );
}

function turnLink(event: Event, realm: Realm): void {
  for (const target of event.composedPath()) {
    const isLink = target instanceof realm.HTMLAnchorElement ||
      target instanceof realm.HTMLAreaElement;
    if (!isLink) continue;
    const own = ownAddress(URL.parse(target.href));
    if (own !== undefined) target.href = own;
  }
}

function turnForm({ target }: Event, realm: Realm): void {
  if (!(target instanceof realm.HTMLFormElement)) return;
  const action = target.getAttribute("action");
  const own = action === null ? undefined : ownAddress(URL.parse(action, target.baseURI));
  if (own !== undefined) target.setAttribute("action", own);
}

function turnNavigation(event: NavigateEvent, realm: Realm): void {
  const own = ownAddress(URL.parse(event.destination.url));
  if (own === undefined || !event.cancelable || event.formData !== null) return;
  event.preventDefault();
  if (event.navigationType === "replace") realm.location.replace(own);
  else realm.location.assign(own);
}
