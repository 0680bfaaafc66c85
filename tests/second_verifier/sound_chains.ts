/**
 * Chains that hold, drawn by lot: each of the six orders of kinds, each root, values often at the ends of their range.
 * `nudge` then moves values by one, across the edge or not, so that nobody knows the verdict beforehand.
 */
import {
  type GrantKind,
  MAX_GRANT_DEPTH,
  MAX_TTL_SECONDS,
  MAX_USES,
} from "../../src/trust/grant.ts";
import { MAX_SCOPE_NUMBER, MAX_SCOPE_NUMBERS } from "../../src/trust/scope.ts";
import { MAX_TIME } from "../../src/trust/token.ts";
import type { Dice } from "../evil_rendezvous/dice.ts";
import type { Root } from "./parties.ts";
import { type Draft, type Kit, type Plan, type RawScope, sizeOf, type Terms } from "./plan.ts";

/** Every order of kinds that a chain may have: g is a guest, i an invite. */
export const SHAPES = ["g", "ig", "gg", "igg", "gig", "ggg"] as const;
export type Shape = (typeof SHAPES)[number];

/** Numbers where the length of their encoding changes (RFC 8949 3), and the ends of what a scope may name. */
const EDGES = [1, 2, 23, 24, 255, 256, MAX_SCOPE_NUMBER - 1, MAX_SCOPE_NUMBER];
const TIMES = [0, 1, 23, 24, 65_535, 65_536, 1_893_499_200];
/** Things that the first link names at most, by the number of links: all of them fit. */
const THINGS = [2 * MAX_SCOPE_NUMBERS, 40, 20];
const ALL_OPERATIONS = 7;
/** Draws until a chain has the size wished for: one in some twenty parts does. */
const SIZE_ATTEMPTS = 50;
const PARTS_TRIED = 40;

/** A chain in which each link holds below the one before; the order of kinds is the caller's. */
export function soundPlan({ parties, dice }: Kit, shape: string): Plan {
  const root = dice.pick(parties.roots);
  const holders = dice.shuffled(parties.holders);
  const drafts: Draft[] = [];
  for (const [i, letter] of [...shape].entries()) {
    const kind: GrantKind = letter === "i" ? "invite" : "guest";
    const below = shape.length - 1 - i;
    const before = drafts[i - 1]?.terms;
    const terms = before ? narrower(before, dice, below) : widest({ root, dice, below });
    const uses = kind === "invite" ? { uses: dice.pick([1, 2, 23, 24, MAX_USES]) } : {};
    const id = dice.bytes(16);
    const audience = parties.audience;
    drafts.push({ kind, holder: holders[i]!, terms: { ...terms, id, audience, ...uses } });
  }
  return { root, drafts };
}

/** A chain that holds but for its size: three links, so many bytes together. */
export function planOfSize(kit: Kit, bytes: number): Plan {
  const { dice } = kit;
  for (let attempt = 0; attempt < SIZE_ATTEMPTS; attempt++) {
    const plan = soundPlan(kit, dice.pick(["igg", "gig", "ggg"]));
    const [first, second, last] = plan.drafts;
    first!.terms.scope = {
      services: numbers(dice, MAX_SCOPE_NUMBERS),
      cameras: numbers(dice, MAX_SCOPE_NUMBERS),
      operations: ALL_OPERATIONS,
    };
    second!.terms.scope = structuredClone(first!.terms.scope);
    for (let i = 0; i < PARTS_TRIED; i++) {
      last!.terms.scope = part(second!.terms.scope, dice);
      if (sizeOf(plan.drafts) === bytes) return plan;
    }
  }
  throw new RangeError(`Cannot make chain: the dice give none of ${bytes} bytes`);
}

/** Moves one to three values by one, or to the ends of their range. */
export function nudge(plan: Plan, { parties, dice }: Kit): void {
  for (let i = dice.below(3); i >= 0; i--) {
    const { terms } = dice.pick(plan.drafts);
    dice.pick(NUDGES)(terms, dice);
  }
  if (dice.chance(0.1)) plan.root = dice.pick(parties.roots);
}

type Nudge = (terms: Terms, dice: Dice) => void;

const step = (dice: Dice) => dice.pick([-1, 1]);

const NUDGES: readonly Nudge[] = [
  (terms, dice) => terms.from = Math.max(0, terms.from + step(dice)),
  (terms, dice) => terms.expires = Math.max(0, terms.expires + step(dice)),
  (terms) => terms.expires = terms.from,
  (terms) => terms.expires = terms.from + 1,
  (terms) => terms.expires = MAX_TIME,
  (terms) => terms.from = 0,
  (terms, dice) => terms.ttl += step(dice),
  (terms, dice) => terms.ttl = dice.pick([0, 1, MAX_TTL_SECONDS, MAX_TTL_SECONDS + 1]),
  (terms, dice) => terms.depth = dice.below(MAX_GRANT_DEPTH + 2),
  (terms, dice) => terms.epoch = Math.max(0, terms.epoch + step(dice)),
  (terms, dice) => terms.scope.operations = dice.below(ALL_OPERATIONS + 2),
  (terms, dice) => takeOne(terms.scope, dice),
  (terms, dice) => addOne(terms.scope, dice),
  (terms, dice) => {
    if (terms.uses !== undefined) terms.uses = dice.pick([0, 1, MAX_USES, MAX_USES + 1]);
  },
];

function takeOne(scope: RawScope, dice: Dice): void {
  const numbers = dice.pick([scope.services, scope.cameras]);
  numbers.splice(dice.below(numbers.length), 1);
}

function addOne(scope: RawScope, dice: Dice): void {
  const numbers = dice.pick([scope.services, scope.cameras]);
  numbers.push(dice.pick(EDGES));
  numbers.sort((one, other) => one - other);
}

type Drawn = Omit<Terms, "id" | "audience" | "uses">;

function widest(
  { root, dice, below }: { readonly root: Root; readonly dice: Dice; readonly below: number },
): Drawn {
  const from = dice.pick([...TIMES, MAX_TIME - 10, MAX_TIME - 1]);
  const latest = MAX_TIME - from;
  return {
    from,
    expires: from + dice.pick([1, latest, 1 + dice.below(latest)]),
    epoch: root.epoch,
    scope: someScope(dice, 1, THINGS[below] ?? 10),
    depth: depth(MAX_GRANT_DEPTH, dice, below),
    ttl: dice.pick([1, 23, 24, 86_400, MAX_TTL_SECONDS]),
  };
}

function narrower(outer: Drawn, dice: Dice, below: number): Drawn {
  const from = dice.pick([outer.from, dice.below(outer.expires - outer.from) + outer.from]);
  return {
    from,
    expires: dice.pick([outer.expires, from + 1 + dice.below(outer.expires - from)]),
    epoch: outer.epoch,
    scope: dice.chance(0.3) ? structuredClone(outer.scope) : part(outer.scope, dice),
    depth: depth(outer.depth - 1, dice, below),
    ttl: dice.pick([outer.ttl, 1, 1 + dice.below(outer.ttl)]),
  };
}

/** Enough for the links below, at most this. */
function depth(most: number, dice: Dice, below: number): number {
  return below + dice.below(most - below + 1);
}

function someScope(dice: Dice, least: number, most: number): RawScope {
  const count = least + dice.below(Math.min(8, most - least + 1)) +
    (dice.chance(0.1) ? Math.max(0, most - least - 8) : 0);
  const services = dice.pick([0, count, dice.below(count + 1)]);
  return {
    services: numbers(dice, Math.min(services, MAX_SCOPE_NUMBERS)),
    cameras: numbers(
      dice,
      Math.max(Math.min(count - services, MAX_SCOPE_NUMBERS), services ? 0 : 1),
    ),
    operations: 1 + dice.below(ALL_OPERATIONS),
  };
}

function numbers(dice: Dice, count: number): number[] {
  const found = new Set<number>();
  while (found.size < count) {
    found.add(
      dice.chance(0.3) ? dice.pick(EDGES) : 1 + dice.below(dice.pick([300, MAX_SCOPE_NUMBER])),
    );
  }
  return [...found].sort((one, other) => one - other);
}

/** Something of a scope, at least one thing and one operation. */
function part(scope: RawScope, dice: Dice): RawScope {
  const kept = dice.pick(["services", "cameras"] as const);
  const kind = scope[kept].length > 0 ? kept : kept === "services" ? "cameras" : "services";
  const one = dice.pick(scope[kind]);
  const keeps = dice.next();
  const some = (name: "services" | "cameras") =>
    scope[name].filter((number) => dice.chance(keeps) || (name === kind && number === one));
  const bits = [1, 2, 4].filter((bit) => scope.operations & bit);
  const bit = dice.pick(bits);
  const operations = bits.filter((other) => other === bit || dice.chance(0.5));
  return {
    services: some("services"),
    cameras: some("cameras"),
    operations: operations.reduce((sum, value) => sum + value, 0),
  };
}
