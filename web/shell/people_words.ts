/** What people read about people: grants, times, what may be done, and the lines of the log. Pure. */
import type { Operation } from "../../src/protocol/access.ts";
import type { GrantEntry } from "../../src/protocol/owner.ts";
import type { WishDefect } from "./lending.ts";
import type { RequestCode } from "./owner_requests.ts";

/** What a guest may do, as one sentence to the guest. */
export function mayDo(operations: readonly Operation[]): string {
  const look = operations.includes("operate") ? "You may look and operate" : "You may look";
  return operations.includes("talk") ? `${look}, and talk through its cameras` : look;
}

/** What may be done, for an owner's list: "look", "look and operate". */
export function operationsText(operations: readonly Operation[]): string {
  const words = [
    operations.includes("view") ? "look" : undefined,
    operations.includes("operate") ? "operate" : undefined,
    operations.includes("talk") ? "talk" : undefined,
  ].filter((word) => word !== undefined);
  return listText(words);
}

/** "a", "a and b", "a, b and c". */
export function listText(items: readonly string[]): string {
  if (items.length < 2) return items.join("");
  return `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}

/** How far a grant is: what an owner wants to know at a glance. `until` is a moment in words. */
export function grantSentence(grant: GrantEntry, until: string): string {
  const came = grant.guests.length;
  switch (grant.state) {
    case "waiting":
      return came === 0
        ? `Nobody has opened the link yet. Ends ${until}`
        : `${came} of ${grant.uses} came. Ends ${until}`;
    case "used":
      return grant.uses > 1 ? `${came} of ${grant.uses} came. Ends ${until}` : `Ends ${until}`;
    case "expired":
      return `Ended by itself ${until}`;
    case "revoked":
      return "Ended by an owner";
  }
}

/** A span of time for people: "45 s", "12 min", "3 h 20 min", "2 days". */
export function spanText(milliseconds: number): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  const days = Math.floor(hours / 24);
  const rest = hours % 24;
  if (days > 2 || rest === 0) return days === 1 ? "1 day" : `${days} days`;
  return `${days === 1 ? "1 day" : `${days} days`} ${rest} h`;
}

const SAME_YEAR_DAYS = 180; // beyond that a day and a month alone could be of another year

/** A moment: "today 18:40", "tomorrow 09:00", "3 May, 18:40", "3 May 2024, 18:40". Milliseconds since 1970. */
export function momentText(time: number, now: number): string {
  const clock = new Date(time).toLocaleTimeString(undefined, {
    hour: "2-digit",
    minute: "2-digit",
  });
  const days = dayNumber(time) - dayNumber(now);
  if (days === 0) return `today ${clock}`;
  if (days === 1) return `tomorrow ${clock}`;
  if (days === -1) return `yesterday ${clock}`;
  const date = new Date(time).toLocaleDateString(undefined, {
    day: "numeric",
    month: "short",
    ...(Math.abs(days) > SAME_YEAR_DAYS ? { year: "numeric" } : {}),
  });
  return `${date}, ${clock}`;
}

function dayNumber(time: number): number {
  const date = new Date(time);
  return Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / 86_400_000;
}

/** What is wrong with a choice, for the one who chooses. */
export function defectSentence(defect: WishDefect, most: { things: number; uses: number }): string {
  switch (defect) {
    case "nothing":
      return "Choose at least one camera or page.";
    case "too_many":
      return `One link has room for ${most.things} cameras and pages. Choose fewer, or make two links.`;
    case "duration":
      return "Choose a time from 1 minute to 365 days.";
    case "uses":
      return `Choose a number from 1 to ${most.uses}.`;
  }
}

/** Why the device did not do what an owner asked. */
export function requestSentence(code: RequestCode | "unfit" | "internal"): string {
  switch (code) {
    case "refused":
      return "The device refuses: this browser may not do that. The last owner cannot be removed.";
    case "invalid":
      return "The device does not accept this. Something has changed meanwhile: try again.";
    case "limit":
      return "The device keeps no more of these. End what nobody needs any more, and try again.";
    case "unknown":
      return "That is gone already.";
    case "failed":
      return "The device could not do it. Its log says why: journalctl -u porthole.";
    case "late":
      return "The device did not answer in time. Look whether it was done, then try again.";
    case "parted":
      return "There is no connection to the device. Nothing was changed. Try again when it is back.";
    case "unfit":
      return "This does not fit into one link. Choose fewer cameras and pages.";
    case "internal":
      return "Something in this page failed. Reload it. The browser's console says more.";
  }
}
