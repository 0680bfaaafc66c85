/** What the mutations are made of: plans that break one rule. */
import { type Bytes, concat } from "../../src/lib/bytes.ts";
import type { Dice } from "../evil_rendezvous/dice.ts";
import type { Root } from "./parties.ts";
import type { Draft, Kit, Plan } from "./plan.ts";
import { SHAPES, soundPlan } from "./sound_chains.ts";

/** Makes a plan that must be refused. */
export type Mutation = (kit: Kit) => Plan | Promise<Plan>;
export type Mutations = Readonly<Record<string, Mutation>>;

export const FROM = 1_893_499_200;
export const DAY_SECONDS = 24 * 3600;

/** A chain that holds, of at least so many links. */
export function sound(kit: Kit, links = 1): Plan {
  return soundPlan(kit, kit.dice.pick(SHAPES.filter((shape) => shape.length >= links)));
}

/** A chain that holds, all links alike and in the middle of each range: one step breaks one rule. */
export function level(kit: Kit, shape: number | string = 1): Plan {
  const plan = typeof shape === "number" ? sound(kit, shape) : soundPlan(kit, shape);
  for (const [i, { terms }] of plan.drafts.entries()) {
    Object.assign(terms, {
      from: FROM,
      expires: FROM + DAY_SECONDS,
      scope: { services: [3, 300], cameras: [24], operations: 3 },
      depth: Math.max(0, 2 - i),
      ttl: DAY_SECONDS,
    });
  }
  return plan;
}

/** The same chain, issued by this root. */
export function under(plan: Plan, root: Root): Plan {
  plan.root = root;
  for (const { terms } of plan.drafts) terms.epoch = root.epoch;
  return plan;
}

/** Changes one link of a plan. */
export function spoilOne(plan: Plan, dice: Dice, spoil: (draft: Draft) => void): Plan {
  spoil(dice.pick(plan.drafts));
  return plan;
}

/** Changes one link that has a parent. */
export function spoilBelow(
  plan: Plan,
  dice: Dice,
  spoil: (draft: Draft, parent: Draft) => void,
): Plan {
  const i = 1 + dice.below(plan.drafts.length - 1);
  spoil(plan.drafts[i]!, plan.drafts[i - 1]!);
  return plan;
}

/** Changes the bytes of one finished token. */
export function spoilToken(plan: Plan, dice: Dice, spoil: (token: Bytes) => Bytes): Plan {
  plan.rearrange = (tokens) => {
    const i = dice.below(tokens.length);
    return tokens.with(i, spoil(tokens[i]!));
  };
  return plan;
}

/** A copy with one bit changed, from `start` on. */
export function flipped(bytes: Uint8Array, dice: Dice, start = 0): Bytes {
  const copy = concat(bytes);
  copy[start + dice.below(bytes.length - start)]! ^= 1 << dice.below(8);
  return copy;
}

/** A list in another order than before: two entries that stand somewhere have changed their places. */
export function swapped<Entry>(entries: readonly Entry[], dice: Dice): Entry[] {
  const one = dice.below(entries.length - 1);
  const other = one + 1 + dice.below(entries.length - 1 - one);
  return entries.with(one, entries[other]!).with(other, entries[one]!);
}
