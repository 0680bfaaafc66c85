/**
 * Which leg of a connection failed, from what the last attempt came to: *Diagnose* in the page. Pure; what the browser is
 * asked for is in `examine.ts`. The device's half is `porthole doctor`.
 */
import type { LostCode } from "./lost.ts";

/** How far an attempt came, one after the other. */
export const STEPS = [
  "nothing",
  /** The rendezvous knows the device. */
  "found",
  /** Offer and answer: each knows the other's addresses. */
  "agreed",
  /** ICE found a pair of addresses. */
  "path",
  /** DTLS and the control channel. */
  "encrypted",
  /** Both have proven who they are. */
  "proven",
  "live",
] as const;

export type Step = typeof STEPS[number];

/** The last attempt, as far as it came. */
export interface Trace {
  readonly reached: Step;
  /** Why it ended; undefined while it goes on. */
  readonly code?: LostCode;
}

/** What was found out. */
export interface Facts extends Trace {
  /** By how much this browser's clock is ahead of the rendezvous's, in ms; undefined where nobody said. */
  readonly clockAheadMs?: number;
  /** Whether the browser decodes H.264. */
  readonly decodes: boolean;
  /** Cameras whose video the device cannot send to this browser. */
  readonly unsupported: readonly string[];
}

export type LegName =
  | "signalling"
  | "device"
  | "token"
  | "clock"
  | "ICE"
  | "DTLS"
  | "proof"
  | "codec";

export interface Leg {
  readonly name: LegName;
  readonly state: "good" | "bad" | "unknown";
  readonly text: string;
}

/** Beyond this, certificates and grants fail. */
const CLOCK_SLACK_MS = 2 * 60_000;

/** The leg at fault, where the code alone says it. */
const BY_CODE: Partial<Record<LostCode, LegName>> = {
  rendezvous: "signalling",
  refused: "signalling",
  absent: "device",
  no_answer: "device",
  stale: "device",
  busy: "device",
  shutdown: "device",
  ended: "device",
  protocol: "device",
  version: "device",
  forged: "proof",
  silent: "ICE",
  not_paired: "token",
  claim_used: "token",
  claim_expired: "token",
  claim_wrong: "token",
  grant_invalid: "token",
  grant_expired: "token",
  grant_revoked: "token",
  grant_used: "token",
  removed: "token",
  kicked: "token",
  time_unknown: "clock",
};

/** From which step on a leg is known to be good. */
const GOOD_FROM: Readonly<Record<Exclude<LegName, "clock" | "codec">, Step>> = {
  signalling: "found",
  device: "agreed",
  token: "agreed",
  ICE: "path",
  DTLS: "encrypted",
  proof: "proven",
};

const TEXTS: Readonly<Record<Exclude<LegName, "codec">, readonly [good: string, bad: string]>> = {
  signalling: [
    "The meeting point answers.",
    "The meeting point does not let this browser through: see this browser's network; if others reach it, wait a minute.",
  ],
  device: [
    "The device answered.",
    "The device is not there, or does not answer: see its power and network, then run porthole doctor on it.",
  ],
  token: [
    "The device lets this browser in.",
    "The device does not let this browser in: ask an owner for a new link.",
  ],
  clock: ["The clocks agree.", "A clock is wrong: set this machine's, and the device's."],
  ICE: [
    "A path to the device is open.",
    "No packet finds its way: one of the two networks blocks UDP. Try another network, or give the meeting point a relay.",
  ],
  DTLS: [
    "The connection is encrypted.",
    "A path is open, but encryption does not come about: something on the way swallows or changes packets.",
  ],
  proof: [
    "The device has proven who it is.",
    "What answers cannot prove to be the device: do not go on, and tell its owner.",
  ],
};

/** Each leg in the order in which a connection needs them. */
export function diagnose(facts: Facts): Leg[] {
  const fault = faultOf(facts);
  const names = ["signalling", "device", "token", "clock", "ICE", "DTLS", "proof"] as const;
  const legs = names.map((name): Leg => {
    const state = stateOf(name, { facts, fault });
    const [good, bad] = TEXTS[name];
    const text = state === "good" ? good : state === "bad" ? bad : "Not known.";
    return { name, state, text };
  });
  return [...legs, codecLeg(facts)];
}

/** The one leg that ended the attempt. */
function faultOf({ reached, code }: Facts): LegName | undefined {
  if (code === undefined) return undefined;
  if (code === "no_path") return STEPS.indexOf(reached) < STEPS.indexOf("path") ? "ICE" : "DTLS";
  return BY_CODE[code];
}

function stateOf(
  name: Exclude<LegName, "codec">,
  { facts, fault }: { facts: Facts; fault: LegName | undefined },
): Leg["state"] {
  if (name === fault) return "bad";
  if (name === "clock") return clockState(facts.clockAheadMs);
  // A session that was live and fell silent proves nothing of now but that somebody was asked.
  return STEPS.indexOf(facts.reached) >= STEPS.indexOf(GOOD_FROM[name]) ? "good" : "unknown";
}

function clockState(aheadMs: number | undefined): Leg["state"] {
  if (aheadMs === undefined) return "unknown";
  return Math.abs(aheadMs) <= CLOCK_SLACK_MS ? "good" : "bad";
}

function codecLeg({ decodes, unsupported }: Facts): Leg {
  if (!decodes) {
    return {
      name: "codec",
      state: "bad",
      text: "This browser has no H.264: pages work, pictures do not. Use another browser.",
    };
  }
  if (unsupported.length === 0) {
    return { name: "codec", state: "good", text: "This browser decodes H.264." };
  }
  const text = `The video of ${unsupported.join(", ")} is not one for browsers: set it to H.264.`;
  return { name: "codec", state: "bad", text };
}
