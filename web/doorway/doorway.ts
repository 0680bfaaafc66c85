/**
 * The script of the page that `web/sw/doorway.ts` shows instead of a device's: goes on by itself where the shell says
 * that the frame is its own, or where the page around it asked for exactly this address; else a person's click does. Entry
 * file.
 *
 * Right under the shell only the shell and this origin's own pages can have led here, and then the shell knows the frame.
 */
import type { DoorToShell } from "../sw/port_messages.ts";
import { THRESHOLD_PATH } from "../sw/doorway.ts";
import { SHELL_ORIGIN } from "../sw/shell_origin.ts";

/** From here on requests come from a page of this origin. The threshold differs in its path, so that a fragment stays. */
function goOn(): void {
  const { href } = location;
  history.replaceState(null, "", THRESHOLD_PATH);
  location.replace(href);
}

/** The shell answers for the frames that it made for this origin, and says nothing else. */
function askShell(): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = goOn;
  parent.postMessage({ porthole: "door" } satisfies DoorToShell, SHELL_ORIGIN, [port2]);
}

/** A frame of a page that sends no referrers: its own address for the frame is the proof. */
function isWantedByParent(): boolean {
  try {
    const frame = frameElement; // null for a parent of another origin
    return document.referrer === "" && frame instanceof parent.window.HTMLIFrameElement &&
      frame.src === location.href;
  } catch {
    return false;
  }
}

document.querySelector("#open")?.addEventListener("click", (event) => {
  event.preventDefault();
  goOn();
});
if (parent !== self) {
  if (isWantedByParent()) goOn();
  else askShell();
}
