/**
 * What a guest who is no friend can make of the grants that it has, and of those that it has seen: links of its own making
 * with all keys that it holds. A fault is what must keep the device from believing the chain, however well it is signed.
 */
import { type Bytes, concat } from "../../src/lib/bytes.ts";
import { decodeEnvelope, type SignedKind, signEnvelope } from "../../src/trust/cose.ts";
import type { Signer } from "../../src/trust/ed25519.ts";
import { grantHash } from "../../src/trust/grant.ts";
import { keyId } from "../../src/trust/key_id.ts";
import { type CborValue, decodeCbor, encodeCbor } from "../../src/trust/strict_cbor.ts";
import type { Dice } from "./dice.ts";
import type { Holding, Stage } from "./stage.ts";
import { flippedOnce } from "./wires.ts";

/** Payload keys (PROTOCOL.md, section 1). */
const KEY = {
  version: 0,
  issuer: 1,
  audience: 2,
  holder: 3,
  id: 4,
  from: 5,
  expires: 6,
  epoch: 7,
  scope: 8,
  depth: 9,
  ttl: 10,
  parent: 11,
  uses: 13,
} as const;

type Fields = Map<number, CborValue>;

export interface ForgedChain {
  readonly chain: readonly Bytes[];
  /** Whose key the offer is signed with. */
  readonly signer: Signer;
  readonly faults: readonly string[];
}

type Forge = (holding: Holding, stage: Stage, dice: Dice) => Promise<ForgedChain> | ForgedChain;

const FORGERIES: Readonly<Record<string, Forge>> = {
  "as it is": ({ chain, signer }) => ({ chain, signer, faults: [] }),
  "of another browser": ({ signer }, { guest }) => ({
    chain: guest.chain,
    signer,
    faults: ["another's chain"],
  }),
  "with another key": ({ chain, signer, name }, { mallory }, dice) => {
    const other = dice.pick(mallory.signers.filter((one) => one !== signer));
    return { chain, signer: other, faults: [`${name} shown by another key`] };
  },
  redeemed: async (holding, stage, dice) => {
    const [invite] = holding.chain;
    const by = holding.invite ?? holding.signer;
    const signer = dice.pick(stage.mallory.signers);
    const link = await linkBelow(invite!, { by, holder: signer, kind: "guest" }, { stage, dice });
    const may = holding.invite !== undefined || holding.name === "delegate"; // that one passes it on
    const faults = may ? link.faults : [...link.faults, "redeemed without the seed"];
    return { chain: [invite!, link.token], signer, faults };
  },
  "passed on": async ({ chain, signer: by, name }, stage, dice) => {
    const signer = dice.pick(stage.mallory.signers);
    const link = await linkBelow(chain.at(-1)!, { by, holder: signer, kind: "guest" }, {
      stage,
      dice,
    });
    const faults = name === "delegate" ? link.faults : [...link.faults, "passed on"];
    return { chain: [...chain, link.token], signer, faults };
  },
  "with an invite below": async ({ chain, signer: by }, stage, dice) => {
    const { mallory } = stage;
    const key = dice.pick(mallory.signers);
    const parts = { stage, dice };
    const invite = await linkBelow(chain.at(-1)!, { by, holder: key, kind: "invite" }, parts);
    const guest = await linkBelow(invite.token, { by: key, holder: by, kind: "guest" }, parts);
    return { chain: [...chain, invite.token, guest.token], signer: by, faults: ["too deep"] };
  },
  "from an own root": async ({ chain, signer }, stage, dice) => {
    const by = dice.pick([...stage.mallory.signers, stage.lair.identity.signer]);
    const fields = fieldsOf(chain[0]!);
    if (dice.chance(0.5)) fields.set(KEY.issuer, await keyId(by.publicKey));
    if (dice.chance(0.5)) fields.set(KEY.holder, signer.publicKey);
    const kind = fields.has(KEY.uses) ? "invite" : "guest";
    const first = await signed(kind, fields, by);
    return { chain: [first, ...chain.slice(1)], signer, faults: ["no root"] };
  },
  spliced: ({ chain, signer }, { mallory }, dice) => {
    const at = dice.below(chain.length);
    const others = mallory.tokens.filter((token) => token !== chain[at]);
    const spliced = chain.with(at, dice.pick(others));
    const isWhole = mallory.holdings.some((other) => isSame(other.chain, spliced));
    return { chain: spliced, signer, faults: [isWhole ? "another's chain" : "spliced"] };
  },
  rearranged: ({ chain, signer }, _stage, dice) => {
    const last = chain.at(-1)!;
    const ways = [
      chain.slice(1),
      [...chain, last],
      [last, ...chain.slice(0, -1), last],
      [...chain, ...chain],
      [last, last],
    ];
    return { chain: dice.pick(ways), signer, faults: ["rearranged"] };
  },
  changed: ({ chain, signer }, _stage, dice) => {
    const at = dice.below(chain.length);
    const token = chain[at]!;
    const ways = [
      () => flippedOnce(token, dice),
      () => token.slice(0, dice.below(token.length)),
      () => concat(token, dice.bytes(1)),
      () => dice.bytes(token.length),
    ];
    return { chain: chain.with(at, dice.pick(ways)()), signer, faults: ["changed"] };
  },
  "with another token": ({ chain, signer }, { mallory }, dice) => {
    const claim = dice.pick(mallory.claims).token;
    return { chain: chain.with(dice.below(chain.length), claim), signer, faults: ["a claim"] };
  },
};

export const CHAIN_FORGERIES = Object.keys(FORGERIES);

/** Makes something of a holding. */
export async function forgeChain(
  name: string,
  holding: Holding,
  { stage, dice }: { readonly stage: Stage; readonly dice: Dice },
): Promise<ForgedChain> {
  return await FORGERIES[name]!(holding, stage, dice);
}

/** A link signed by whom it should be or not, and with more than it may have or not. */
async function linkBelow(
  parent: Bytes,
  link: { readonly by: Signer; readonly holder: Signer; readonly kind: "guest" | "invite" },
  { stage, dice }: { readonly stage: Stage; readonly dice: Dice },
): Promise<{ token: Bytes; faults: readonly string[] }> {
  const fields = fieldsOf(parent);
  const outer = new Map(fields);
  fields.delete(KEY.uses);
  fields
    .set(KEY.issuer, await keyId(link.by.publicKey))
    .set(KEY.holder, link.holder.publicKey)
    .set(KEY.id, dice.bytes(16))
    .set(KEY.depth, Math.max(0, numberIn(outer, KEY.depth) - 1))
    .set(KEY.parent, await grantHash(parent));
  if (link.kind === "invite") fields.set(KEY.uses, 64);
  const faults: string[] = [];
  let { kind, by }: { kind: SignedKind; by: Signer } = link;
  if (dice.chance(0.4)) narrow(fields, dice);
  if (dice.chance(0.6)) faults.push(widen({ fields, outer }, { stage, dice }));
  if (dice.chance(0.1)) {
    kind = dice.pick((["claim", "revoke", "offer", "invite"] as const).filter((k) => k !== kind));
    faults.push("another kind");
  }
  if (dice.chance(0.1)) {
    const { mallory, lair } = stage;
    by = dice.pick([...mallory.signers, lair.identity.signer].filter((one) => one !== by));
    faults.push("another signer");
  }
  return { token: await signed(kind, fields, by), faults };
}

/** Less than the link above: what a guest may do. */
function narrow(fields: Fields, dice: Dice): void {
  const ways = [
    () => fields.set(KEY.expires, numberIn(fields, KEY.expires) - 24 * 3600),
    () => fields.set(KEY.ttl, numberIn(fields, KEY.ttl) - 24 * 3600),
    () => fields.set(KEY.from, numberIn(fields, KEY.from) + 60),
  ];
  dice.pick(ways)();
}

/** More than the link above, or something that it may not say at all. */
function widen(
  { fields, outer }: { readonly fields: Fields; readonly outer: Fields },
  { stage, dice }: { readonly stage: Stage; readonly dice: Dice },
): string {
  const more = (key: number, by: number) => fields.set(key, Number(outer.get(key)) + by);
  const { home, other, guest } = stage;
  const scope = mapIn(outer, KEY.scope);
  const inScope = (key: number, value: CborValue) => fields.set(KEY.scope, scope.set(key, value));
  const others = <Value>(list: readonly Value[], had: CborValue | undefined) =>
    dice.pick(list.filter((value) => JSON.stringify(value) !== JSON.stringify(had)));
  const ways: Readonly<Record<string, () => void>> = {
    services: () => inScope(0, everything(home, "service", scope.get(0))),
    cameras: () => inScope(1, everything(home, "camera", scope.get(1))),
    operations: () => inScope(2, numberIn(scope, 2) === 7 ? 8 : 7),
    "no scope": () => inScope(0, []) && inScope(1, []),
    expires: () => more(KEY.expires, 1 + dice.below(2 ** 20)),
    "expires before it begins": () => fields.set(KEY.expires, numberIn(outer, KEY.from)),
    from: () => more(KEY.from, -1 - dice.below(1000)),
    ttl: () => more(KEY.ttl, 1 + dice.below(2 ** 20)),
    depth: () => more(KEY.depth, dice.below(2)),
    epoch: () => fields.set(KEY.epoch, 1 + dice.below(5)),
    audience: () => fields.set(KEY.audience, other.identity.id),
    parent: () => fields.set(KEY.parent, dice.bytes(16)),
    "no parent": () => fields.delete(KEY.parent),
    holder: () => fields.set(KEY.holder, guest.signer.publicKey),
    issuer: () => fields.set(KEY.issuer, dice.pick([home.identity.keyId, dice.bytes(8)])),
    version: () => fields.set(KEY.version, 2),
    "another type": () => {
      const key = dice.pick([...fields.keys()]);
      fields.set(key, others([0, 4_294_967_296, true, "", [], new Map()], fields.get(key)));
      if (fields.get(key) === 0) fields.set(key, -1);
    },
    "a key too many": () => fields.set(dice.pick([12, 14, 15, 99]), 1),
    "a key too few": () => fields.delete(dice.pick([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])),
  };
  const name = dice.pick(Object.keys(ways));
  ways[name]!();
  return name;
}

/** All that the device has; if that was there already, one more that it has not. */
function everything(
  home: Stage["home"],
  kind: "service" | "camera",
  had: CborValue | undefined,
): number[] {
  const ids = kind === "service" ? ["ui", "printer"] : ["front", "back"];
  const all = ids.map((id) => home.things.numberOf(kind, id)).sort((a, b) => a - b);
  return Array.isArray(had) && had.length === all.length ? [...all, 999] : all;
}

function fieldsOf(token: Bytes): Fields {
  return new Map(decodeCbor(decodeEnvelope(token, 1024).payload, 1024) as Fields);
}

async function signed(kind: SignedKind, fields: Fields, by: Signer): Promise<Bytes> {
  return await signEnvelope(kind, encodeCbor(fields), by);
}

function isSame(one: readonly Bytes[], other: readonly Bytes[]): boolean {
  return one.length === other.length && one.every((token, i) => token === other[i]);
}

/** 0 for what is no number: the link above may be spoiled. */
function numberIn(fields: Fields, key: number): number {
  const value = fields.get(key);
  return typeof value === "number" ? value : 0;
}

function mapIn(fields: Fields, key: number): Fields {
  const value = fields.get(key);
  return new Map(value instanceof Map ? value : []);
}
