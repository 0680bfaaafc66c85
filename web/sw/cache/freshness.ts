/** How old a stored answer is and how long it stays fresh (RFC 9111 4.2). Pure; ages and lifetimes are in seconds. */
import type { Header } from "../../../src/protocol/http.ts";
import { cacheControl, dateOf, MAX_SECONDS, seconds, tokens, valueOf } from "./fields.ts";
import type { StoredResponse } from "./stored_response.ts";

/** The part of the time since the last change that RFC 9111 4.2.2 suggests. */
const HEURISTIC_PART = 0.1;
/** Beyond a day a guess is too bold for a device whose firmware may be replaced. */
const MAX_HEURISTIC_SECONDS = 86_400;

/** Statuses whose answers may be stored without a word about it (RFC 9110 15.1); 206 is not: see `storable.ts`. */
export const HEURISTIC_STATUSES: ReadonlySet<number> = new Set(
  [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501],
);

/** How long an answer is fresh. `guessed`: the service said nothing, it follows from Last-Modified. */
export interface Lifetime {
  readonly seconds: number;
  readonly guessed: boolean;
}

/** RFC 9111 4.2.1. s-maxage is for shared caches, and this is none. */
export function lifetimeOf(
  { status, headers, respondedAt }: Pick<StoredResponse, "status" | "headers" | "respondedAt">,
): Lifetime {
  const directives = cacheControl(headers);
  if (directives.has("max-age")) {
    return { seconds: seconds(directives.get("max-age")) ?? 0, guessed: false };
  }
  const date = dateOf(headers, "date") ?? respondedAt;
  if (valueOf(headers, "expires") !== undefined) {
    const expires = dateOf(headers, "expires") ?? 0; // "0" and other nonsense: expired (RFC 9111 5.3)
    return { seconds: clamp((expires - date) / 1000), guessed: false };
  }
  return { seconds: heuristic(status, { headers, date }), guessed: true };
}

/** RFC 9111 4.2.2: a tenth of the time since the last change, where the status or "public" allows a guess. */
function heuristic(
  status: number,
  { headers, date }: { headers: readonly Header[]; date: number },
): number {
  const allowed = HEURISTIC_STATUSES.has(status) || cacheControl(headers).has("public");
  const changed = dateOf(headers, "last-modified");
  if (!allowed || changed === undefined) return 0;
  return Math.min(clamp((date - changed) / 1000 * HEURISTIC_PART), MAX_HEURISTIC_SECONDS);
}

/** RFC 9111 4.2.3. Without a Date, it is the time at which the answer came (RFC 9110 6.6.1). */
export function currentAge(stored: StoredResponse, now: number): number {
  const { headers, requestedAt, respondedAt } = stored;
  const date = dateOf(headers, "date") ?? respondedAt;
  const apparent = Math.max(0, respondedAt - date) / 1000;
  const [told] = tokens(valueOf(headers, "age"));
  const corrected = (seconds(told) ?? 0) + Math.max(0, respondedAt - requestedAt) / 1000;
  const resident = Math.max(0, now - respondedAt) / 1000;
  return clamp(Math.max(apparent, corrected) + resident);
}

/** Whether no answer may be taken from it without asking the service (RFC 9111 5.2.2.4; Pragma as browsers read it). */
export function mustAsk(headers: readonly Header[]): boolean {
  const directives = cacheControl(headers);
  if (directives.size > 0) return directives.has("no-cache"); // also with field names: the careful reading
  return tokens(valueOf(headers, "pragma")).includes("no-cache");
}

function clamp(value: number): number {
  return Number.isFinite(value) ? Math.min(Math.max(0, Math.floor(value)), MAX_SECONDS) : 0;
}
