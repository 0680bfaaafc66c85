/** Advice that a person has put off: it comes back after a while. In localStorage; shared by all tabs. */

const PREFIX = "porthole.later.";
const WEEK_MS = 7 * 86_400_000;

/** Whether advice is to be shown. `key` names the advice, and the device if it is about one. */
export function isDue(key: string, now: number): boolean {
  const until = Number(localStorage.getItem(PREFIX + key) ?? 0);
  return !(until > now && until <= now + WEEK_MS); // a clock that was set back must not hide it for years
}

/** Does not show it for a week. */
export function putOff(key: string, now: number): void {
  localStorage.setItem(PREFIX + key, String(now + WEEK_MS));
}
