/**
 * A page that will not be in a frame and says so by script: it tries to take the whole window, or hides itself while it is
 * not at the top. The shell's sandbox lets nobody take its window, so such a page would stay blank without a word; the
 * shell offers it a tab of its own. (What a page says by header is adapted: web/sw/csp.ts.) Left out: a page that catches
 * the error and hides nothing.
 */
import type { PageToShell } from "../sw/port_messages.ts";

/** How long a page may stay hidden once it was loaded, in ms: many show themselves when their scripts have run. */
const HIDDEN_LIMIT_MS = 1500;

/** What browsers say of a script that reaches for the shell's window, or into it. */
const REFUSED = /navigate the target frame|cross-origin|operation is insecure/i;

/** Call once in a document. Without effect in a tab of its own. */
export function reportFrameRefusal(shellOrigin: string): void {
  const shell = top;
  if (shell === null || isReachable(shell)) return;
  let told = false;
  const tell = () => {
    if (told) return;
    told = true;
    shell.postMessage({ porthole: "wants-tab" } satisfies PageToShell, shellOrigin);
  };
  addEventListener("error", ({ error }) => isRefusal(error) && tell());
  addEventListener("unhandledrejection", ({ reason }) => isRefusal(reason) && tell());
  if (parent !== shell) return; // a frame within the page may be hidden for its own reasons
  addEventListener("load", () => {
    setTimeout(() => isHidden() && tell(), HIDDEN_LIMIT_MS);
  });
}

/** Of our own origin: the page is in a tab of its own, with its frames. */
function isReachable(window: Window): boolean {
  try {
    void window.location.href;
    return true;
  } catch {
    return false;
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof DOMException && error.name === "SecurityError" &&
    REFUSED.test(error.message);
}

function isHidden(): boolean {
  return [document.documentElement, document.body].some((element) => {
    if (element === null) return false; // a frameset
    const { display, visibility, opacity } = getComputedStyle(element);
    return display === "none" || visibility === "hidden" || Number(opacity) === 0;
  });
}
