/** What an owner chooses when lending, and how long that is in seconds. Pure. */
import type { Operation } from "../../src/protocol/access.ts";
import type { Named } from "../../src/protocol/control.ts";
import { MAX_USES } from "../../src/trust/grant.ts";
import { MAX_LINK_NUMBERS } from "../../src/trust/invite_link.ts";

/** What the device has for its owner. */
export interface Things {
  readonly services: readonly Named[];
  readonly cameras: readonly Named[];
}

/** Numbers of services and cameras as grants have them, and what may be done with them. */
export interface LentScope {
  readonly services: readonly number[];
  readonly cameras: readonly number[];
  readonly operations: readonly Operation[];
}

/** What is to be lent. Ids are those of hello. */
export interface Wish {
  readonly services: readonly string[];
  readonly cameras: readonly string[];
  readonly operate: boolean;
  readonly talk: boolean;
  readonly seconds: number;
  readonly uses: number;
  readonly label: string;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Ready-made durations; `tonight` and `own` are worked out. */
export const DURATIONS = [
  { id: "half-hour", title: "30 minutes", seconds: 30 * MINUTE },
  { id: "hour", title: "1 hour", seconds: HOUR },
  { id: "tonight", title: "Until tonight", seconds: undefined },
  { id: "day", title: "1 day", seconds: DAY },
  { id: "week", title: "1 week", seconds: 7 * DAY },
  { id: "own", title: "Other…", seconds: undefined },
] as const;
export type DurationId = (typeof DURATIONS)[number]["id"];

export const UNITS = { minutes: MINUTE, hours: HOUR, days: DAY } as const;
export type Unit = keyof typeof UNITS;

const MIN_SECONDS = MINUTE;
const MAX_SECONDS = 365 * DAY; // as `porthole lend`: beyond a year people forget whom they let in
const MIN_EVENING_SECONDS = 30 * MINUTE; // late at night, "tonight" is the coming one

/** Seconds from `now` (milliseconds since 1970) to midnight here. */
export function untilTonight(now: number): number {
  const end = new Date(now);
  end.setHours(24, 0, 0, 0);
  const seconds = Math.round((end.getTime() - now) / 1000);
  return seconds >= MIN_EVENING_SECONDS ? seconds : seconds + DAY;
}

/** Seconds of a choice; undefined where a person's own figure makes no sense. */
export function durationSeconds(
  choice: DurationId,
  own: { readonly amount: number; readonly unit: Unit; readonly now: number },
): number | undefined {
  const ready = DURATIONS.find(({ id }) => id === choice)?.seconds;
  if (ready !== undefined) return ready;
  if (choice === "tonight") return untilTonight(own.now);
  const seconds = Math.round(own.amount * UNITS[own.unit]);
  return seconds >= MIN_SECONDS && seconds <= MAX_SECONDS ? seconds : undefined;
}

/** What cannot be lent as it stands; undefined when it can. */
export type WishDefect = "nothing" | "too_many" | "duration" | "uses";

export function wishDefect(
  wish: Omit<Wish, "seconds"> & { readonly seconds: number | undefined },
): WishDefect | undefined {
  if (wish.services.length + wish.cameras.length === 0) return "nothing";
  if (wish.services.length + wish.cameras.length > MAX_LINK_NUMBERS) return "too_many";
  if (wish.seconds === undefined) return "duration";
  if (!Number.isInteger(wish.uses) || wish.uses < 1 || wish.uses > MAX_USES) return "uses";
  return undefined;
}

/** The scope of a wish, in the order that tokens want. Throws a RangeError for what the device has no number for. */
export function scopeOf(wish: Wish, things: Things): LentScope {
  return {
    services: numbers(wish.services, things.services),
    cameras: numbers(wish.cameras, things.cameras),
    operations: operationsOf(wish),
  };
}

function numbers(ids: readonly string[], among: readonly Named[]): number[] {
  const found = ids.map((wanted) => among.find(({ id }) => id === wanted)?.number);
  if (found.includes(undefined)) {
    throw new RangeError("Cannot lend: the device has no number for it");
  }
  return (found as number[]).sort((a, b) => a - b);
}

/** Whoever may operate may look. `operate` means pages, `talk` cameras: neither is granted for what is not lent. */
function operationsOf({ services, cameras, operate, talk }: Wish): Operation[] {
  const operations: Operation[] = ["view"];
  if (talk && cameras.length > 0) operations.push("talk");
  if (operate && services.length > 0) operations.push("operate");
  return operations;
}
