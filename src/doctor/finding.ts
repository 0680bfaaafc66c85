/** What the doctor says of one leg. */

/** What is looked at, in the order in which it is told. */
export const LEGS = [
  "agent",
  "files",
  "identity",
  "store",
  "rendezvous",
  "clock",
  "udp",
  "stun",
  "nat",
  "turn",
  "service",
  "device-file",
  "camera",
] as const;

export type LegName = typeof LEGS[number];

/** `skipped`: nothing can be said, because of another leg, or since there is nothing to look at. */
export interface Finding {
  readonly leg: LegName;
  /** Which service, camera or server. */
  readonly subject?: string;
  readonly state: "good" | "bad" | "skipped";
  /** One line: what is the case. */
  readonly text: string;
  /** What a person can do; with `bad` only. */
  readonly remedy?: string;
}

/** A finding without its leg. */
export type Verdict = Omit<Finding, "leg">;

export function good(text: string, subject?: string): Verdict {
  return { state: "good", text, ...subject === undefined ? {} : { subject } };
}

export function bad(text: string, remedy: string, subject?: string): Verdict {
  return { state: "bad", text, remedy, ...subject === undefined ? {} : { subject } };
}

export function skipped(text: string, subject?: string): Verdict {
  return { state: "skipped", text, ...subject === undefined ? {} : { subject } };
}

/** The legs that are bad: what `porthole doctor` exits by. */
export function badLegs(findings: readonly Finding[]): Set<LegName> {
  return new Set(findings.filter(({ state }) => state === "bad").map(({ leg }) => leg));
}
