/**
 * The chains on which two verifiers must agree, each made from its own number: the same today and tomorrow, and one more
 * kind changes none of the others.
 *
 *     sound      hold, in all six orders of kinds; a few fill the whole size
 *     nudged     one to three values moved by one: some hold, some do not, nobody says which
 *     mutations  one rule broken; none holds
 */
import { type Bytes, toBase64Url } from "../../src/lib/bytes.ts";
import { MAX_CHAIN_BYTES } from "../../src/trust/chain.ts";
import { Dice } from "../evil_rendezvous/dice.ts";
import type { Mutation } from "./mutation.ts";
import { MUTATIONS_OF_BYTES } from "./mutations_of_bytes.ts";
import { MUTATIONS_OF_CHAINS } from "./mutations_of_chains.ts";
import { MUTATIONS_OF_SIGNATURES } from "./mutations_of_signatures.ts";
import { MUTATIONS_OF_TERMS } from "./mutations_of_terms.ts";
import { makeParties, type Parties, type VerifierName, verifiersOf } from "./parties.ts";
import { carryOut, type Kit, type Plan } from "./plan.ts";
import { nudge, planOfSize, SHAPES, soundPlan } from "./sound_chains.ts";

export interface ChainCase {
  /** What is special about it. */
  readonly kind: string;
  readonly verifier: VerifierName;
  readonly chain: readonly Bytes[];
  /** Undefined if only the verifiers can tell. */
  readonly expected: boolean | undefined;
}

interface Kind {
  readonly make: Mutation;
  readonly expected?: boolean;
  /** How many of two thousand. */
  readonly rounds: number;
}

const PARTIES_SEED = 4_003;
/** Enough for all rounds of a kind. */
const SEEDS_EACH = 10_000;
const MUTATION_ROUNDS = 20;

const MUTATIONS = {
  ...MUTATIONS_OF_TERMS,
  ...MUTATIONS_OF_BYTES,
  ...MUTATIONS_OF_SIGNATURES,
  ...MUTATIONS_OF_CHAINS,
};

const RANDOM: Readonly<Record<string, Kind>> = {
  ...Object.fromEntries(
    SHAPES.map((shape) => [
      `sound ${shape}`,
      { make: (kit: Kit) => soundPlan(kit, shape), expected: true, rounds: 80 },
    ]),
  ),
  "sound, as long as may be": { make: longest, expected: true, rounds: 20 },
  nudged: { make: nudged, rounds: 500 },
};

const KINDS: Readonly<Record<string, Kind>> = {
  ...RANDOM,
  ...Object.fromEntries(
    Object.entries(MUTATIONS).map(([name, make]) => [
      name,
      { make, expected: false, rounds: MUTATION_ROUNDS },
    ]),
  ),
};

/** Of each kind as many as the second argument says of those that a whole run has. */
export async function makeCases(
  parties: Parties,
  roundsOf = (all: number) => all,
): Promise<readonly ChainCase[]> {
  const cases: ChainCase[] = [];
  for (const [index, [kind, { make, expected, rounds }]] of Object.entries(KINDS).entries()) {
    for (let round = 0; round < roundsOf(rounds); round++) {
      const dice = new Dice(index * SEEDS_EACH + round);
      const plan = await make({ parties, dice });
      const chain = await carryOut(plan);
      cases.push({ kind, verifier: plan.verifier ?? "device", chain, expected });
    }
  }
  return cases;
}

/** Few of each kind: what tests/vectors/chains.json keeps. */
export async function makeKeptCases(parties: Parties): Promise<readonly ChainCase[]> {
  return await makeCases(parties, (rounds) => Math.max(2, Math.ceil(rounds / 25)));
}

export async function makeCaseParties(): Promise<Parties> {
  return await makeParties(new Dice(PARTIES_SEED));
}

/** The form of tests/vectors/chains.json. Byte strings are base64url. */
export interface Vectors {
  readonly verifiers: Readonly<Record<string, VerifierText>>;
  readonly cases: readonly CaseText[];
}

interface VerifierText {
  readonly audience: string;
  readonly roots: readonly { readonly key: string; readonly epoch: number }[];
}

interface CaseText {
  readonly kind: string;
  readonly verifier: string;
  readonly chain: readonly string[];
  readonly accepted?: boolean;
}

export function asVectors(parties: Parties, cases: readonly ChainCase[]): Vectors {
  const verifiers = Object.entries(verifiersOf(parties)).map(([name, { audience, roots }]) => [
    name,
    {
      audience: toBase64Url(audience),
      roots: roots.map(({ publicKey, epoch }) => ({ key: toBase64Url(publicKey), epoch })),
    },
  ]);
  return {
    verifiers: Object.fromEntries(verifiers),
    cases: cases.map(({ kind, verifier, chain }) => ({
      kind,
      verifier,
      chain: chain.map(toBase64Url),
    })),
  };
}

function nudged(kit: Kit): Plan {
  const plan = soundPlan(kit, kit.dice.pick(SHAPES));
  nudge(plan, kit);
  return plan;
}

function longest(kit: Kit): Plan {
  return planOfSize(kit, MAX_CHAIN_BYTES - kit.dice.pick([0, 0, 1, 2]));
}
