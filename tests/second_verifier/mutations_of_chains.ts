/** Links that hold, in a chain that does not. */
import { concat } from "../../src/lib/bytes.ts";
import { MAX_CHAIN_BYTES } from "../../src/trust/chain.ts";
import { GRANT_HASH_BYTES } from "../../src/trust/grant.ts";
import { KEY } from "../../src/trust/token.ts";
import { flipped, level, type Mutations, sound, spoilBelow, swapped } from "./mutation.ts";
import { carryOut } from "./plan.ts";
import { byteString, map, uint } from "./raw_cbor.ts";
import { planOfSize } from "./sound_chains.ts";

const ORDER: Mutations = {
  "no link": (kit) => ({ ...sound(kit), rearrange: () => [] }),
  "links swapped": (kit) => ({
    ...sound(kit, 2),
    rearrange: (tokens) => swapped(tokens, kit.dice),
  }),
  "a link dropped that others stand on": (kit) => ({
    ...sound(kit, 2),
    rearrange: (tokens) => tokens.toSpliced(kit.dice.below(tokens.length - 1), 1),
  }),
  "a link twice": (kit) => ({
    ...sound(kit),
    rearrange: (tokens) => {
      const i = kit.dice.below(tokens.length);
      return tokens.toSpliced(i, 0, tokens[i]!);
    },
  }),
  "a fourth link": (kit) => level(kit, kit.dice.pick(["gggg", "iggg", "gigg"])),
  "an invite at the end": (kit) => level(kit, kit.dice.pick(["i", "gi", "ggi", "igi"])),
  "an invite below an invite": (kit) => level(kit, "iig"),
  "too long together": (kit) => planOfSize(kit, MAX_CHAIN_BYTES + kit.dice.pick([1, 2, 20])),
  "a link of another chain": async (kit) => {
    const plan = sound(kit, 2);
    const others = await carryOut(sound(kit, 2));
    plan.rearrange = (tokens) => tokens.with(kit.dice.below(tokens.length), kit.dice.pick(others));
    return plan;
  },
  "a token of another kind": (kit) => {
    const plan = sound(kit);
    const claim = kit.dice.chance(0.5);
    const draft = kit.dice.pick(plan.drafts);
    draft.signedAs = claim ? "claim" : "revoke";
    draft.write = (fields) =>
      map([
        ...[KEY.version, KEY.issuer, KEY.audience].map((key) =>
          [uint(key), fields.get(key)!] as const
        ),
        ...claim
          ? [[uint(KEY.id), fields.get(KEY.id)!], [
            uint(KEY.boot),
            byteString(kit.dice.bytes(8)),
          ]] as const
          : [
            [uint(KEY.from), fields.get(KEY.from)!],
            [uint(KEY.target), byteString(kit.dice.bytes(16))],
            [uint(KEY.sequence), uint(1)],
          ] as const,
      ]);
    return plan;
  },
};

const PARENTS: Mutations = {
  "a first link with a parent": (kit) => {
    const plan = sound(kit);
    const parent = byteString(kit.dice.bytes(GRANT_HASH_BYTES));
    plan.drafts[0]!.twist = (fields) => fields.set(KEY.parent, parent);
    return plan;
  },
  "a later link without parent": (kit) =>
    spoilBelow(sound(kit, 2), kit.dice, (draft) => {
      draft.twist = (fields) => fields.delete(KEY.parent);
    }),
  "another parent": (kit) =>
    spoilBelow(sound(kit, 2), kit.dice, (draft) => {
      draft.twist = (fields) => {
        const right = fields.get(KEY.parent)!.slice(1);
        const wrong = kit.dice.pick([flipped(right, kit.dice), kit.dice.bytes(right.length)]);
        fields.set(KEY.parent, byteString(wrong));
      };
    }),
  "a parent of another length": (kit) =>
    spoilBelow(level(kit, 2), kit.dice, (draft) => {
      draft.twist = (fields) => {
        const right = fields.get(KEY.parent)!.slice(1);
        const wrong = kit.dice.pick([
          right.slice(0, 8),
          right.slice(0, 15),
          concat(right, kit.dice.bytes(1)),
          concat(right, kit.dice.bytes(16)),
          new Uint8Array(),
        ]);
        fields.set(KEY.parent, byteString(wrong));
      };
    }),
  "the parent signed anew": (kit) => {
    const plan = sound(kit, 2);
    plan.rearrange = async (tokens) => {
      const first = plan.drafts[0]!;
      first.terms.id = kit.dice.bytes(16);
      const [token] = await carryOut({ root: plan.root, drafts: [first] });
      return tokens.with(0, token!);
    };
    return plan;
  },
};

const ROOTS: Mutations = {
  "a root that is a stranger": (kit) => ({ ...sound(kit), root: kit.parties.stranger }),
  "a root that was an owner": (kit) => ({ ...sound(kit), root: kit.parties.removed }),
  "a root that signs for itself": (kit) => {
    const plan = sound(kit);
    plan.root = plan.drafts[0]!.holder;
    return plan;
  },
  "a device that has no owners": (kit) => {
    const plan = level(kit);
    const { roots, device } = kit.parties;
    plan.root = kit.dice.pick(roots.filter((root) => root !== device));
    const { epoch } = roots.find(({ keyId }) => keyId === plan.root.keyId)!;
    for (const { terms } of plan.drafts) terms.epoch = epoch;
    return { ...plan, verifier: "device without owners" };
  },
  "a root that names another": (kit) => {
    const plan = sound(kit);
    plan.drafts[0]!.signer = kit.dice.pick(kit.parties.roots.filter((one) => one !== plan.root));
    return plan;
  },
};

export const MUTATIONS_OF_CHAINS: Mutations = { ...ORDER, ...PARENTS, ...ROOTS };
