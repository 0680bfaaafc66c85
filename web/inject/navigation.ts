/** Tells the shell where a device's page is, so that the shell's address can mirror it. The shell trusts none of it. */
import type { PageToShell } from "../sw/port_messages.ts";

/** Longest title that is told; the shell cuts again. */
const MAX_TITLE_LENGTH = 256;

/** Starts telling. Only the frame directly under the shell does; frames within the device's page are its own matter. */
export function reportNavigation(shellOrigin: string): void {
  if (parent === self || parent !== top) return;
  const shell = parent; // a page may overwrite `parent`
  let told = "";
  let refusesFrame = false;
  const tell = () => {
    const message: PageToShell = {
      porthole: "navigated",
      href: location.href,
      title: document.title.slice(0, MAX_TITLE_LENGTH),
      refusesFrame,
    };
    const key = `${message.href} ${refusesFrame} ${message.title}`;
    if (key === told) return;
    told = key;
    shell.postMessage(message, shellOrigin);
  };
  wrapHistory(tell);
  for (const event of ["hashchange", "popstate", "pageshow", "load", "DOMContentLoaded"]) {
    addEventListener(event, tell);
  }
  addEventListener("DOMContentLoaded", () => watchTitle(tell));
  // What `top.location = …` throws in the shell's sandbox; a page that catches it knows what to do instead.
  // It is an exception of the shell's realm, so no DOMException of this one.
  addEventListener("error", ({ message, error }) => {
    if (!/\bSecurityError\b/.test(`${message} ${error?.name}`)) return;
    refusesFrame = true;
    tell();
  });
  tell();
}

function wrapHistory(tell: () => void): void {
  for (const name of ["pushState", "replaceState"] as const) {
    const original = History.prototype[name];
    History.prototype[name] = function (this: History, ...values) {
      original.apply(this, values);
      tell();
    };
  }
}

/** Titles change late in pages that build themselves. The head is watched too: a title may come and go. */
function watchTitle(tell: () => void): void {
  if (document.head === null) return;
  new MutationObserver(tell).observe(document.head, {
    childList: true,
    characterData: true,
    subtree: true,
  });
}
