/** Links that are signed and written as they should be, and say more than they may. */
import { MAX_GRANT_DEPTH, MAX_TTL_SECONDS, MAX_USES } from "../../src/trust/grant.ts";
import { KEY, MAX_TIME } from "../../src/trust/token.ts";
import {
  DAY_SECONDS,
  FROM,
  level,
  type Mutation,
  type Mutations,
  sound,
  spoilBelow,
  spoilOne,
  under,
} from "./mutation.ts";
import type { Root } from "./parties.ts";
import type { Fields, Plan, RawScope } from "./plan.ts";
import { byteString, list, map, uint } from "./raw_cbor.ts";

const MOST = {
  from: MAX_TIME,
  expires: MAX_TIME,
  epoch: MAX_TIME,
  ttl: MAX_TTL_SECONDS,
  depth: MAX_GRANT_DEPTH,
} as const;

/** One link alone breaks a range. */
const RANGES: Mutations = {
  "ends before it begins": (kit) =>
    spoilOne(level(kit), kit.dice, ({ terms }) => {
      // The parent's end is kept: this link begins at it, or later.
      terms.expires = FROM + DAY_SECONDS;
      terms.from = terms.expires + kit.dice.pick([0, 1, DAY_SECONDS]);
    }),
  ...Object.fromEntries(
    (["from", "expires", "epoch", "ttl", "depth"] as const).map((name): [string, Mutation] => [
      `${name} above its range`,
      (kit) => {
        const plan = level(kit);
        // Links below may have less; the epoch must be the same in all.
        const drafts = name === "epoch" ? plan.drafts : plan.drafts.slice(0, 1);
        const value = MOST[name] + kit.dice.pick([1, 2, 2 ** 32, 2 ** 33]);
        for (const { terms } of drafts) terms[name] = value;
        return plan;
      },
    ]),
  ),
  "operations that do not exist": (kit) => {
    const plan = level(kit);
    plan.drafts[0]!.terms.scope.operations += kit.dice.pick([8, 16, 64, 2 ** 32]);
    return plan;
  },
  "no operation": (kit) =>
    spoilOne(level(kit), kit.dice, ({ terms }) => {
      terms.scope.operations = 0;
    }),
  "a ttl of 0": (kit) =>
    spoilOne(level(kit), kit.dice, ({ terms }) => {
      terms.ttl = 0;
    }),
  "a negative number": (kit) =>
    spoilOne(level(kit), kit.dice, ({ terms }) => {
      terms[kit.dice.pick(["from", "epoch", "ttl", "depth"] as const)] = -1 - kit.dice.below(2);
    }),
  "uses out of range": (kit) => {
    const plan = level(kit, kit.dice.pick(["ig", "igg", "gig"]));
    const { terms } = plan.drafts.find(({ kind }) => kind === "invite")!;
    terms.uses = kit.dice.pick([0, -1, MAX_USES + 1, 256, MAX_TIME]);
    return plan;
  },
  "an invite of depth 0": (kit) => {
    const plan = level(kit, kit.dice.pick(["ig", "gig"]));
    plan.drafts.find(({ kind }) => kind === "invite")!.terms.depth = 0;
    return plan;
  },
  "another version": (kit) =>
    spoilOne(
      level(kit),
      kit.dice,
      setting(KEY.version, () => uint(kit.dice.pick([0, 2, -1, MAX_TIME]))),
    ),
  "a byte string of another length": (kit) =>
    spoilOne(level(kit), kit.dice, (draft) => {
      const key = kit.dice.pick([KEY.issuer, KEY.audience, KEY.holder, KEY.id]);
      const length = kit.dice.pick([0, 1, 7, 9, 15, 17, 31, 33, 64]);
      draft.twist = (fields) => fields.set(key, byteString(kit.dice.bytes(length)));
    }),
};

/** A scope that nobody may name. */
const SCOPES: Mutations = {
  "a scope of nothing": (kit) =>
    spoilOne(level(kit), kit.dice, ({ terms }) => {
      terms.scope = { services: [], cameras: [], operations: 3 };
    }),
  "a number above its range in the scope": (kit) => {
    const plan = level(kit);
    pick(plan.drafts[0]!.terms.scope, kit.dice.chance(0.5)).push(65_536 + kit.dice.below(2));
    return plan;
  },
  "a number below its range in the scope": (kit) => {
    const plan = level(kit);
    pick(plan.drafts[0]!.terms.scope, kit.dice.chance(0.5)).unshift(-kit.dice.below(2));
    return plan;
  },
  "a scope out of order": (kit) =>
    spoilOne(level(kit), kit.dice, ({ terms }) => {
      terms.scope = kit.dice.pick([
        { services: [300, 3], cameras: [24], operations: 3 },
        { services: [3, 3, 300], cameras: [24], operations: 3 },
        { services: [3, 300], cameras: [24, 24], operations: 3 },
        { services: [3, 300, 300], cameras: [], operations: 1 },
      ]);
    }),
  "33 things of one kind in the scope": (kit) => {
    const plan = level(kit, kit.dice.pick(["g", "ig", "gg"]));
    const { scope } = plan.drafts[0]!.terms;
    const count = kit.dice.pick([33, 34, 60]);
    const from = (first: number, length: number) => Array.from({ length }, (_, i) => first + i);
    if (kit.dice.chance(0.5)) scope.services = [...from(3, count - 1), 300];
    else scope.cameras = from(24, count);
    return plan;
  },
  "another layout of the scope": (kit) =>
    spoilOne(
      level(kit),
      kit.dice,
      setting(KEY.scope, () =>
        kit.dice.pick([
          map([]),
          map([[uint(0), list([uint(3)])], [uint(1), list([])]]),
          map([[uint(0), list([uint(3)])], [uint(2), uint(3)]]),
          map([[uint(1), list([uint(24)])], [uint(2), uint(3)]]),
          map([
            [uint(0), list([uint(3)])],
            [uint(1), list([])],
            [uint(2), uint(3)],
            [uint(3), uint(0)],
          ]),
          map([[uint(0), uint(3)], [uint(1), list([])], [uint(2), uint(3)]]),
          map([[uint(0), list([uint(3)])], [uint(1), list([])], [uint(2), list([uint(1)])]]),
          list([list([uint(3)]), list([]), uint(3)]),
          map([[uint(0), list([list([uint(3)])])], [uint(1), list([])], [uint(2), uint(3)]]),
        ])),
    ),
};

/** A link that gives what its parent has not. */
const NARROWING: Mutations = {
  "a thing more than the parent": (kit) =>
    spoilBelow(level(kit, 2), kit.dice, ({ terms: { scope } }) => {
      kit.dice.pick([
        () => scope.services.push(301 + kit.dice.below(65_000)),
        () => scope.services.unshift(1 + kit.dice.below(2)),
        () => scope.cameras.push(25 + kit.dice.below(65_000)),
        () => scope.cameras.unshift(3),
        () => scope.cameras = [300], // the number of a service
        () => scope.services = [24],
      ])();
    }),
  "an operation more than the parent": (kit) =>
    spoilBelow(level(kit, 2), kit.dice, ({ terms }) => {
      terms.scope.operations = kit.dice.pick([4, 5, 6, 7]);
    }),
  "ends later than the parent": (kit) =>
    spoilBelow(level(kit, 2), kit.dice, ({ terms }) => {
      terms.expires = kit.dice.pick([terms.expires + 1, terms.expires + DAY_SECONDS, MAX_TIME]);
    }),
  "begins before the parent": (kit) =>
    spoilBelow(level(kit, 2), kit.dice, ({ terms }) => {
      terms.from = kit.dice.pick([FROM - 1, FROM - DAY_SECONDS, 0]);
    }),
  "a longer ttl than the parent": (kit) =>
    spoilBelow(level(kit, 2), kit.dice, ({ terms }) => {
      terms.ttl = kit.dice.pick([terms.ttl + 1, 2 * terms.ttl, MAX_TTL_SECONDS]);
    }),
  "the parent's depth": (kit) => {
    const plan = level(kit, 2);
    return spoilBelow(plan, kit.dice, ({ terms }, parent) => terms.depth = parent.terms.depth);
  },
  "more depth than the parent": (kit) => {
    const plan = level(kit, kit.dice.pick(["gg", "ig", "ggg", "gig", "igg"]));
    plan.drafts[0]!.terms.depth = 1;
    plan.drafts[1]!.terms.depth = 2;
    return plan;
  },
  "another epoch than the parent": (kit) => {
    const plan = level(kit, 2);
    const { epoch } = plan.drafts[0]!.terms;
    const from = 1 + kit.dice.below(plan.drafts.length - 1);
    const step = kit.dice.pick([-1, 1].filter((by) => epoch + by >= 0 && epoch + by <= MAX_TIME));
    for (const { terms } of plan.drafts.slice(from)) terms.epoch += step;
    return plan;
  },
};

/** What only the verifier can tell: who and when it is. */
const AUDIENCE: Mutations = {
  "one link for another device": (kit) =>
    spoilOne(sound(kit), kit.dice, ({ terms }) => {
      const { otherAudience, audience } = kit.parties;
      terms.audience = kit.dice.pick([otherAudience, audience.toReversed(), new Uint8Array(16)]);
    }),
  "all links for another device": (kit) => {
    const plan = sound(kit);
    for (const { terms } of plan.drafts) terms.audience = kit.parties.otherAudience;
    return plan;
  },
  "shown to another device": (kit) => ({ ...sound(kit), verifier: "other device" }),
  "an epoch that is over": (kit) => {
    const roots = kit.parties.roots.filter(({ epoch }) => epoch > 0);
    const root = kit.dice.pick(roots);
    const plan = under(level(kit), root);
    const { epoch } = plan.drafts[0]!.terms;
    setEpoch(plan, kit.dice.pick([epoch - 1, 0, kit.dice.below(epoch)]));
    return plan;
  },
  "an epoch that has not come": (kit) => {
    const root = kit.dice.pick(kit.parties.roots.filter(isNotLast));
    const plan = under(level(kit), root);
    const { epoch } = plan.drafts[0]!.terms;
    setEpoch(plan, kit.dice.pick([epoch + 1, MAX_TIME, epoch + 1 + kit.dice.below(1000)]));
    return plan;
  },
};

export const MUTATIONS_OF_TERMS: Mutations = { ...RANGES, ...SCOPES, ...NARROWING, ...AUDIENCE };

const isNotLast = ({ epoch }: Root) => epoch < MAX_TIME - 1000;

function setEpoch({ drafts }: Plan, epoch: number): void {
  for (const { terms } of drafts) terms.epoch = epoch;
}

function setting(key: number, value: () => Uint8Array<ArrayBuffer>) {
  return (draft: { twist?: (fields: Fields) => void }) => {
    draft.twist = (fields) => fields.set(key, value());
  };
}

function pick(scope: RawScope, isService: boolean): number[] {
  return isService ? scope.services : scope.cameras;
}
