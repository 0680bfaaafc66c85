/** Links that say what they may, signed by or for somebody else, or with other headers. */
import { type Bytes, concat, fromHex } from "../../src/lib/bytes.ts";
import type { Signer } from "../../src/trust/ed25519.ts";
import { KEY } from "../../src/trust/token.ts";
import { flipped, level, type Mutations, sound, spoilBelow, spoilOne } from "./mutation.ts";
import {
  largeScalarSigner,
  mixedKeySigner,
  mixedPointSigner,
  smallKeySigner,
  smallPointSigner,
} from "./odd_signers.ts";
import { partyOf } from "./parties.ts";
import { type Kit, type Plan, PROTECTED, type SealJob, signedBytes } from "./plan.ts";
import { byteString, FOREIGN, head, list, map, uint } from "./raw_cbor.ts";

const KINDS = [
  "claim",
  "owner",
  "invite",
  "guest",
  "revoke",
  "presence",
  "offer",
  "answer",
  "chan",
];

const SIGNERS: Mutations = {
  "signed by another key": (kit) => {
    const plan = sound(kit);
    const i = kit.dice.below(plan.drafts.length);
    const right = plan.drafts[i - 1]?.holder ?? plan.root;
    const { holders, stranger, removed, roots } = kit.parties;
    const others = [...holders, stranger, removed, ...roots].filter((one) => one !== right);
    plan.drafts[i]!.signer = kit.dice.pick(others);
    return plan;
  },
  "another issuer": (kit) =>
    spoilOne(sound(kit), kit.dice, (draft) => {
      const { stranger, removed } = kit.parties;
      draft.twist = (fields) => {
        const right = fields.get(KEY.issuer)!.slice(1);
        const wrong = [stranger.keyId, removed.keyId, draft.holder.keyId, flipped(right, kit.dice)];
        fields.set(KEY.issuer, byteString(kit.dice.pick(wrong)));
      };
    }),
  "another holder than signs next": (kit) => {
    const plan = sound(kit, 2);
    const i = kit.dice.below(plan.drafts.length - 1);
    const next = plan.drafts[i + 1]!;
    next.signer = plan.drafts[i]!.holder;
    const other = kit.parties.stranger;
    plan.drafts[i]!.twist = (fields) => fields.set(KEY.holder, byteString(other.publicKey));
    if (kit.dice.chance(0.5)) {
      next.twist = (fields) => fields.set(KEY.issuer, byteString(other.keyId));
    }
    return plan;
  },
  "signed as another kind": (kit) =>
    spoilOne(sound(kit), kit.dice, (draft) => {
      draft.signedAs = kit.dice.pick(KINDS.filter((kind) => kind !== draft.kind));
    }),
  "a kind that its keys belie": (kit) =>
    spoilOne(sound(kit), kit.dice, (draft) => {
      draft.twist = (fields) => {
        if (draft.kind === "invite") fields.delete(KEY.uses);
        else fields.set(KEY.uses, uint(1));
      };
    }),
};

const ODD_SIGNATURES: Mutations = {
  "S above the order": (kit) => {
    const plan = sound(kit);
    const i = kit.dice.below(plan.drafts.length);
    const right = plan.drafts[i - 1]?.holder ?? plan.root;
    plan.drafts[i]!.signer = { ...right, ...largeScalarSigner(right) };
    return plan;
  },
  "a key of small order": (kit) => heldBy(kit, smallKeySigner(kit.dice)),
  "a key with torsion": (kit) => heldBy(kit, mixedKeySigner(kit.dice)),
  "R of small order": (kit) => heldBy(kit, smallPointSigner(kit.dice)),
  "R with torsion": (kit) => heldBy(kit, mixedPointSigner(kit.dice)),
  "a signature of another length": (kit) =>
    sealing(kit, async (job) => {
      const { signature, payload } = await parts(job);
      const odd = kit.dice.pick([
        new Uint8Array(),
        signature.slice(0, 63),
        signature.slice(1),
        concat(signature, Uint8Array.of(0)),
        concat(signature, signature),
        new Uint8Array(64),
      ]);
      return list([byteString(PROTECTED), map([]), byteString(payload), byteString(odd)]);
    }),
};

/** {1: -8} EdDSA; {1: -7} ES256; {}; nothing; -19 in two bytes; with a key id; "Ed25519"; a critical header. */
const HEADERS = "a10127 a10126 a0 - a1013812 a201320441aa a1016745643235353139 a30132028101".split(
  " ",
)
  .map((hex) => fromHex(hex === "-" ? "" : hex));

const HEADERS_AND_FORM: Mutations = {
  "other protected headers": (kit) =>
    sealing(kit, async (job) => {
      const header = kit.dice.pick(HEADERS);
      const { signature, payload } = await parts(job, header);
      return list([byteString(header), map([]), byteString(payload), byteString(signature)]);
    }),
  "unprotected headers": (kit) =>
    sealing(kit, async (job) => {
      const { signature, payload } = await parts(job);
      const header = kit.dice.pick([
        map([[uint(4), byteString(job.signer.keyId)]]),
        map([[uint(1), uint(-19)]]),
        map([[uint(99), uint(0)]]),
        list([]),
        uint(0),
        FOREIGN["null"]!,
      ]);
      return list([byteString(PROTECTED), header, byteString(payload), byteString(signature)]);
    }),
  "another form of the signed object": (kit) =>
    sealing(kit, async (job) => {
      const { signature, payload } = await parts(job);
      const right = [PROTECTED, payload, signature].map(byteString);
      const [header, body, seal] = right as [Bytes, Bytes, Bytes];
      const whole = list([header, map([]), body, seal]);
      return kit.dice.pick([
        concat(head("tag", 18), whole),
        concat(Uint8Array.of(0x9f), header, map([]), body, seal, Uint8Array.of(0xff)),
        concat(head("list", 4, 1), header, map([]), body, seal),
        list([header, map([]), FOREIGN["null"]!, seal]),
        list([header, map([]), concat(head("bytes", payload.length, 4), payload), seal]),
        list([header, map([]), body, concat(head("bytes", 64, 2), signature)]),
        list([concat(head("bytes", 3, 1), PROTECTED), map([]), body, seal]),
        list([header, map([]), body]),
        list([header, map([]), body, seal, uint(0)]),
        list([header, map([]), payload, seal]),
        list([PROTECTED, map([]), body, seal]),
        byteString(whole),
      ]);
    }),
};

export const MUTATIONS_OF_SIGNATURES: Mutations = {
  ...SIGNERS,
  ...ODD_SIGNATURES,
  ...HEADERS_AND_FORM,
};

/** A chain in which this signer is the holder of a link and signs the next one. */
export async function heldBy(kit: Kit, signer: Signer): Promise<Plan> {
  const party = await partyOf(signer);
  return spoilBelow(level(kit, 2), kit.dice, (_draft, parent) => parent.holder = party);
}

/** A chain that would hold, with one token made like this. */
function sealing(kit: Kit, seal: (job: SealJob) => Promise<Bytes>): Plan {
  return spoilOne(level(kit), kit.dice, (draft) => draft.seal = seal);
}

async function parts(
  { kind, payload, signer }: SealJob,
  header = PROTECTED,
): Promise<{ signature: Bytes; payload: Bytes }> {
  return { payload, signature: await signer.sign(signedBytes({ kind, payload, header })) };
}
