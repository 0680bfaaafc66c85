/**
 * Which of the streams that have something to send goes first: what a person waits for at this moment before what they
 * look at later. The opener says it in OPEN, in a header of our own, for it knows what its page asked for; both ends send
 * by it. It orders the streams of one session among themselves and nothing else.
 */
import { OWN_HEADER_PREFIX, type RequestHead, type ResponseHead } from "./http.ts";

/**
 * From the most urgent: WebSockets and events; what a page is made of (documents, scripts, styles); what its scripts ask
 * for; pictures; media and downloads.
 */
export const URGENCIES = ["live", "page", "fetch", "image", "bulk"] as const;

/** One of `URGENCIES`. */
export type Urgency = typeof URGENCIES[number];

/** In OPEN: one of `URGENCIES`. */
export const URGENCY_HEADER = `${OWN_HEADER_PREFIX}urgency`;

/** Answers that are media whatever asked for them: films, sounds, pictures that never end (MJPEG). */
const MEDIA = /^\s*(?:audio|video)\/|^\s*multipart\/x-mixed-replace\b/i;
const ATTACHMENT = /^\s*attachment\b/i;

/** What the opener says; by the kind of stream where it says nothing, or a word that we do not know. */
export function urgencyOf({ kind, headers }: RequestHead): Urgency {
  const said = find(headers, URGENCY_HEADER);
  const known = URGENCIES.find((urgency) => urgency === said);
  return known ?? (kind === "websocket" ? "live" : "fetch");
}

/** The same once the answer is known: a link may turn out to be a download. An answer never makes a stream more urgent. */
export function urgencyOfAnswer(asked: Urgency, { headers }: ResponseHead): Urgency {
  const isMedia = MEDIA.test(find(headers, "content-type") ?? "");
  const isDownload = ATTACHMENT.test(find(headers, "content-disposition") ?? "");
  return isMedia || isDownload ? "bulk" : asked;
}

function find(headers: RequestHead["headers"], wanted: string): string | undefined {
  return headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
}
