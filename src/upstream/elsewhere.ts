/**
 * Redirects from one service of the device to another: only here it is known that an address on the LAN is one of them. Pure.
 * What becomes of them is the browser's side's decision.
 */
import { ELSEWHERE_HEADER, type ResponseHead } from "../protocol/http.ts";
import { valueOf } from "./headers.ts";
import { pathAt } from "./policy.ts";
import type { Target } from "./target.ts";

/** Names the other service in the head of an answer. Guests are shown it only if it is lent to them (`agent/scope.ts`). */
export function nameElsewhere(
  head: ResponseHead,
  others: Iterable<{ readonly id: string; readonly target: Target }>,
): ResponseHead {
  const location = valueOf(head.headers, "location");
  if (location === undefined || head.status < 300 || head.status > 399) return head;
  for (const { id, target } of others) {
    const path = /^https?:/i.test(location) ? pathAt(target, location) : undefined;
    if (path === undefined) continue;
    return { ...head, headers: [...head.headers, [ELSEWHERE_HEADER, `${id} ${path}`]] };
  }
  return head;
}
