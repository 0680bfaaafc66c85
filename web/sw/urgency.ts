/** How urgent a page's request is, by what the browser says that it is for. Pure. */
import type { Header } from "../../src/protocol/http.ts";
import { type Urgency, URGENCY_HEADER } from "../../src/protocol/urgency.ts";
import type { StreamHead } from "./port_messages.ts";

/** As much of a Request as is used. */
export interface UrgentRequest {
  readonly destination: string;
  readonly mode: string;
  readonly headers: { get(name: string): string | null };
}

/** By destination (Fetch 2.2.5); what is not named is asked for by a script, or shown by nobody. */
const BY_DESTINATION: ReadonlyMap<string, Urgency> = new Map([
  ...["document", "iframe", "frame", "embed", "object"].map((name) => [name, "page"] as const),
  ...["script", "style", "font", "xslt", "json"].map((name) => [name, "page"] as const),
  ...["worker", "sharedworker", "serviceworker"].map((name) => [name, "page"] as const),
  ...["audioworklet", "paintworklet"].map((name) => [name, "page"] as const),
  ["image", "image"],
  ["audio", "bulk"],
  ["video", "bulk"],
]);

/** `page` is the client that asked; empty for a navigation, and for the file of a download link. */
export function urgencyOfRequest(request: UrgentRequest, page: string): Urgency {
  if (request.mode === "navigate") return "page";
  if (page === "") return "bulk";
  if (/\btext\/event-stream\b/i.test(request.headers.get("accept") ?? "")) return "live";
  return BY_DESTINATION.get(request.destination) ?? "fetch";
}

/** Says it in a head; no page says it itself (`request_head.ts`). */
export function withUrgency(head: StreamHead, request: UrgentRequest, page: string): StreamHead {
  const line: Header = [URGENCY_HEADER, urgencyOfRequest(request, page)];
  return { ...head, headers: [...head.headers, line] };
}
