/** Lines of a device's log in plain words. Pure. Events and details are those that `src/control/` writes. */
import type { AuditEntry } from "../../src/protocol/owner.ts";
import { spanText } from "./people_words.ts";

/** What a line says. `tone`: "bad" for what was refused or is wrong. */
export interface AuditSentence {
  readonly text: string;
  readonly tone: "plain" | "bad";
}

/** What the ids in a log stand for today; undefined for what is gone. */
export interface AuditNames {
  grant(id: string): string | undefined;
  thing(id: string): string | undefined;
}

const NO_THING = "something that does not exist";
const SHORT_ID = 8; // digits of a key id that people compare
const BAD = /\.refused$|\.broken$/;
const BOARD = "Somebody at the device";
const MORE = /^(\d+) more like this$/; // what one person, or all strangers, brought about beyond a limit
const SECONDS = /^after (\d+) s$/;
const KEY_AND_LABEL = /^[0-9a-f]{16} (?=.)/;
const CHECK = /^check (\d{3})(\d{3})(?:, link [0-9a-f]{8})?$/;

/** One line of the log as a sentence. An event that this page does not know is shown as it is. */
export function auditSentence(entry: AuditEntry, names: AuditNames): AuditSentence {
  const tone = BAD.test(entry.event) ? "bad" : "plain";
  const grant = entry.grant === undefined ? undefined : names.grant(entry.grant);
  const line = { who: entry.label ?? shortId(entry.holder), grant, detail: entry.detail, names };
  const more = MORE.exec(entry.detail ?? "")?.[1];
  if (more !== undefined) return { text: moreText(more, { ...line, event: entry.event }), tone };
  const sentence = SENTENCES.get(entry.event)?.(line);
  const text = sentence ?? [line.who, entry.event, entry.detail].filter(Boolean).join(": ");
  return { text, tone };
}

interface Line {
  readonly who: string | undefined;
  /** What the lender called the grant. */
  readonly grant: string | undefined;
  readonly detail: string | undefined;
  readonly names: AuditNames;
}

const SENTENCES: ReadonlyMap<string, (line: Line) => string> = new Map(Object.entries({
  "owner.added": (line: Line) => `${line.who ?? "A browser"} became an owner${check(line)}.`,
  "owner.removed": (line: Line) => `${line.who ?? BOARD} removed the owner ${other(line)}.`,
  "guest.added": (line: Line) =>
    `${line.who ?? "A browser"} opened the link${quoted(" for", line.grant)}.`,
  "grant.lent": (line: Line) => `${line.who ?? BOARD} lent something${quoted(" to", line.detail)}.`,
  "grant.revoked": (line: Line) =>
    `${line.who ?? BOARD} ended what was lent${quoted(" to", line.detail ?? line.grant)}.`,
  "pairing.opened": (line: Line) => `${line.who ?? BOARD} made a link for a new owner.`,
  "session.opened": (line: Line) => `${guest(line, "Somebody")} connected.`,
  "session.closed": (line: Line) => `${guest(line, "Somebody")} disconnected${after(line)}.`,
  "session.ended": (line: Line) =>
    `${guest(line, "Somebody")} was disconnected: ${reason(line.detail)}.`,
  "session.kicked": (line: Line) => `${line.who ?? BOARD} disconnected ${other(line)}.`,
  "session.refused": (line: Line) =>
    `${guest(line, "Somebody unknown")} was not let in: ${reason(line.detail)}.`,
  "service.used": (line: Line) => `${guest(line, "A guest")} opened ${thing(line)}.`,
  "service.refused": (line: Line) => `${guest(line, "A guest")} tried ${beyond(line)}.`,
  "camera.used": (line: Line) => `${guest(line, "A guest")} watched ${thing(line)}.`,
  "camera.refused": (line: Line) =>
    `${guest(line, "A guest")} tried to watch ${thing(line)}, which was not lent.`,
  "request.refused": (line: Line) => `${guest(line, "A guest")} tried what only owners may.`,
  "log.broken": ({ detail }: Line) =>
    `This log was changed on the device's disk${detail === undefined ? "" : `, ${detail}`}.`,
}));

/** A stranger's label is the stranger's own word: many together have none. */
function moreText(count: string, line: Line & { event: string }): string {
  if (line.event === "session.refused" && line.who === undefined) {
    return `Strangers were not let in ${count} more times.`;
  }
  return `${guest(line, "Somebody")}: ${count} more lines like this (${line.event}).`;
}

function guest({ who, grant }: Line, nobody: string): string {
  return grant === undefined ? who ?? nobody : `${who ?? nobody} (guest “${grant}”)`;
}

function quoted(word: string, name: string | undefined): string {
  return name === undefined || name === "" ? "" : `${word} “${name}”`;
}

/** Somebody else's key id and label. */
function other({ detail = "" }: Line): string {
  return detail.replace(KEY_AND_LABEL, "") || "somebody";
}

function check({ detail = "" }: Line): string {
  const [, first, last] = CHECK.exec(detail) ?? [];
  return first === undefined ? "" : `, check number ${first} ${last}`;
}

function after({ detail = "" }: Line): string {
  const seconds = SECONDS.exec(detail)?.[1];
  return seconds === undefined ? "" : ` after ${spanText(Number(seconds) * 1000)}`;
}

function thing({ detail, names }: Line): string {
  if (detail === undefined || detail === "?") return NO_THING;
  return names.thing(detail) ?? `“${detail}”`;
}

/** The service may be lent for looking only, or not at all: the device says no more. */
function beyond(line: Line): string {
  const name = thing(line);
  return name === NO_THING ? `to open ${name}` : `something in ${name} that was not lent`;
}

const REASONS: ReadonlyMap<string, string> = new Map(Object.entries({
  not_paired: "the device does not know this browser",
  claim_used: "the pairing code was used already",
  claim_expired: "the pairing code has expired",
  claim_wrong: "the pairing code is wrong",
  grant_invalid: "the link is not valid here",
  grant_expired: "the time was over",
  grant_revoked: "an owner had ended it",
  grant_used: "the link was used already",
  time_unknown: "the device did not know the time",
  no_proof: "it was let in and never proved to be there",
  busy: "too many at once",
  stale: "the device had just restarted",
  version: "versions do not fit together",
  malformed: "the request could not be read",
  bad_signature: "a signature does not hold",
  expired: "the time was over",
  revoked: "an owner ended what was lent",
  removed: "the owner was removed",
  kicked: "an owner ended the session",
  shutdown: "the device stopped",
}));

function reason(detail: string | undefined): string {
  return detail === undefined || detail === ""
    ? "no reason was given"
    : REASONS.get(detail) ?? detail;
}

function shortId(id: string | undefined): string | undefined {
  return id === undefined ? undefined : `Key ${id.slice(0, SHORT_ID)}`;
}
