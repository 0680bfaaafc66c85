/**
 * Offers of somebody who has keys of its own and keeps no rule: every field of the payload may hold anything, and all of it
 * is well signed and well sealed. A fault is what must keep the device from admitting it.
 */
import { type Bytes, concat, utf8 } from "../../src/lib/bytes.ts";
import type { Scene } from "../../src/control/testing/scene.ts";
import { readClaim } from "../../src/trust/claim.ts";
import { claimKey, claimProof } from "../../src/trust/claim_proof.ts";
import { decodeEnvelope, type SignedKind, signEnvelope } from "../../src/trust/cose.ts";
import { sha256 } from "../../src/trust/digest.ts";
import type { Signer } from "../../src/trust/ed25519.ts";
import { passTag } from "../../src/trust/pass.ts";
import { pad } from "../../src/trust/padding.ts";
import { type ExchangeKey, generateExchangeKey, sealTo } from "../../src/trust/seal.ts";
import { type CborValue, decodeCbor, encodeCbor } from "../../src/trust/strict_cbor.ts";
import type { Dice } from "./dice.ts";
import { type EndFields, newEndFields } from "./secrets.ts";
import type { Stage } from "./stage.ts";

/** Payload keys (PROTOCOL.md, section 3). */
export const OFFER_KEY = {
  version: 0,
  session: 1,
  browser: 2,
  exchange: 3,
  bootNonce: 4,
  versions: 5,
  binding: 6,
  transport: 7,
  candidates: 8,
  label: 9,
  claim: 10,
  grants: 11,
  time: 12,
} as const;

export interface OfferDraft {
  readonly fields: Map<number, CborValue>;
  readonly ends: EndFields;
  readonly sessionId: Bytes;
  readonly exchange: ExchangeKey;
  /** Signs it; what `fields` say of the key may differ. */
  signer: Signer;
  kind: SignedKind;
  tag: Bytes;
  /** Overrides what the binding is made of. */
  boundTo?: { readonly device?: Bytes; readonly key?: Bytes; readonly enc?: Bytes };
  /** Answers cannot be opened: the session key is not ours. */
  isBlind: boolean;
}

export interface ForgedOffer {
  readonly wire: Bytes;
  readonly text: Bytes;
  readonly epoch: number;
  readonly sealingKey: Bytes;
}

/** An honest draft, but for what is shown. */
export async function draftOffer(
  signer: Signer,
  shows: { readonly grants?: readonly Bytes[] | undefined },
  { stage, dice }: { readonly stage: Stage; readonly dice: Dice },
): Promise<OfferDraft> {
  const ends = newEndFields("actpass");
  const exchange = await generateExchangeKey(false);
  const sessionId = dice.bytes(16);
  const { ufrag, pwd, fingerprint } = ends.transport;
  const fields = new Map<number, CborValue>([
    [OFFER_KEY.version, 1],
    [OFFER_KEY.session, sessionId],
    [OFFER_KEY.browser, signer.publicKey],
    [OFFER_KEY.exchange, exchange.publicKey],
    [OFFER_KEY.bootNonce, new Uint8Array(16)],
    [OFFER_KEY.versions, [1]],
    [
      OFFER_KEY.transport,
      new Map<number, CborValue>([[0, ufrag], [1, pwd], [2, fingerprint], [3, 0]]),
    ],
    [OFFER_KEY.candidates, ends.candidates],
    [OFFER_KEY.label, "Mallory"],
    [OFFER_KEY.time, stage.world.system],
  ]);
  if (shows.grants) fields.set(OFFER_KEY.grants, shows.grants);
  const tag = dice.bytes(16);
  return { fields, ends, sessionId, exchange, signer, kind: "offer", tag, isBlind: false };
}

/** Signs and seals a draft for a device. */
export async function sealDraft(draft: OfferDraft, to: Scene): Promise<ForgedOffer> {
  const { identity } = to;
  const { publicKey: sealingKey, epoch } = identity.sealing[0]!;
  const head = new Uint8Array(5);
  head[0] = 1;
  new DataView(head.buffer).setUint32(1, epoch);
  const info = concat(utf8("porthole/offer/v1"), identity.id, head.slice(1));
  const sealing = await sealTo(sealingKey, info);
  const { device = identity.id, key = sealingKey, enc = sealing.enc } = draft.boundTo ?? {};
  if (!draft.fields.has(OFFER_KEY.binding)) {
    const domain = utf8("porthole/offer-binding/v1");
    draft.fields.set(OFFER_KEY.binding, await sha256(domain, device, key, enc));
  }
  const text = await signEnvelope(draft.kind, encodeCbor(draft.fields), draft.signer);
  const header = concat(head, draft.tag, sealing.enc);
  const wire = concat(header, await sealing.seal(pad(text, [1024, 2048, 4096]), header));
  return { wire, text, epoch, sealingKey };
}

type Spoil = (
  draft: OfferDraft,
  stage: Stage,
  dice: Dice,
) => string | undefined | Promise<string | undefined>;

const put = (key: number, ...values: readonly CborValue[]): Spoil => (draft, _stage, dice) => {
  draft.fields.set(key, dice.pick(values));
  return "fault";
};

/** What stands in a line of SDP, if nobody looks. */
const CRLF = "abcd\r\na=candidate:1 1 udp 1 10.0.0.1 1 typ host";

/** Gives a fault, or nothing for what a browser may do. */
const SPOILINGS: Readonly<Record<string, Spoil>> = {
  version: put(OFFER_KEY.version, 0, 2, "1", true),
  "session of another size": put(OFFER_KEY.session, new Uint8Array(15), new Uint8Array(17)),
  "another's browser key": (draft, { owner, guest }, dice) => {
    draft.fields.set(OFFER_KEY.browser, dice.pick([owner, guest.signer]).publicKey);
    return "another's key";
  },
  "a browser key of small order": put(OFFER_KEY.browser, new Uint8Array(32), one()),
  "signed with another key": (draft, { mallory }, dice) => {
    draft.signer = dice.pick(mallory.signers.filter((signer) => signer !== draft.signer));
    return "fault";
  },
  "signed as another kind": (draft, _stage, dice) => {
    draft.kind = dice.pick(["chan", "answer", "presence", "claim", "guest", "invite", "revoke"]);
    return "fault";
  },
  "a session key of small order": (draft) => {
    draft.fields.set(OFFER_KEY.exchange, new Uint8Array(32));
    return "fault";
  },
  "a session key of another": (draft, { home }, dice) => {
    draft.fields.set(OFFER_KEY.exchange, dice.pick([home.identity.sealing[0]!.publicKey, nine()]));
    draft.isBlind = true;
    return undefined;
  },
  "an old nonce": (draft, { other }, dice) => {
    draft.fields.set(OFFER_KEY.bootNonce, dice.pick([dice.bytes(16), other.identity.id]));
    return "fault";
  },
  "no version of ours": put(OFFER_KEY.versions, [], [0], [2], [2, 3], [256], [1, -1], ["1"], 1),
  "more versions": (draft, _stage, dice) => {
    draft.fields.set(OFFER_KEY.versions, dice.pick([[1, 2], [2, 1], [1, 1, 1, 1, 1, 1, 1, 1]]));
    return undefined;
  },
  "too many versions": put(OFFER_KEY.versions, [1, 2, 3, 4, 5, 6, 7, 8, 9]),
  "bound to another device": (draft, { other, lair }, dice) => {
    draft.boundTo = { device: dice.pick([other, lair]).identity.id };
    return "fault";
  },
  "bound to another key": (draft, { lair }) => {
    draft.boundTo = { key: lair.identity.sealing[0]!.publicKey };
    return "fault";
  },
  "bound to another seal": (draft, _stage, dice) => {
    draft.boundTo = { enc: dice.bytes(32) };
    return "fault";
  },
  transport: (draft, _stage, dice) => {
    const transport = new Map(draft.fields.get(OFFER_KEY.transport) as Map<number, CborValue>);
    const spoiled: readonly [number, CborValue][] = [
      [0, CRLF],
      [0, "abc"],
      [0, "a".repeat(257)],
      [1, CRLF],
      [1, "short"],
      [2, new Uint8Array(20)],
      [2, new Uint8Array(64)],
      [3, 3],
      [3, "active"],
      [4, 1],
    ];
    transport.set(...dice.pick(spoiled));
    draft.fields.set(OFFER_KEY.transport, transport);
    return "fault";
  },
  candidates: put(
    OFFER_KEY.candidates,
    [CRLF],
    ["candidate:1 1 udp 1 10.0.0.1 1 typ host\r\na=x"],
    Array(33).fill("candidate:1 1 udp 1 10.0.0.1 1 typ host"),
    [`candidate:1 1 udp 1 10.0.0.1 1 typ host ${"x ".repeat(120)}`],
    [1],
    "candidate:1 1 udp 1 10.0.0.1 1 typ host",
  ),
  "no candidates": (draft) => {
    draft.fields.set(OFFER_KEY.candidates, []);
    return undefined;
  },
  label: put(OFFER_KEY.label, "", " x", "a\u202eb", "a\nb", "\u001b[2J", "x".repeat(65), 1),
  "a claim beside the grants": async (draft, stage, dice) => {
    draft.fields.set(OFFER_KEY.claim, await claimIn(draft, stage, dice));
    return "fault";
  },
  "a claim instead": async (draft, stage, dice) => {
    draft.fields.delete(OFFER_KEY.grants);
    draft.fields.set(OFFER_KEY.claim, await claimIn(draft, stage, dice));
    return "fault";
  },
  "another token as a claim": (draft, { mallory }, dice) => {
    draft.fields.delete(OFFER_KEY.grants);
    const token = dice.pick([...mallory.tokens, dice.bytes(99)]);
    draft.fields.set(OFFER_KEY.claim, new Map([[0, token], [1, dice.bytes(32)]]));
    return "fault";
  },
  "nothing to show": (draft) => {
    draft.fields.delete(OFFER_KEY.grants);
    return "nothing";
  },
  grants: put(OFFER_KEY.grants, [], [new Uint8Array(0)], [new Uint8Array(1025)], new Uint8Array(9)),
  time: put(OFFER_KEY.time, -1, 2 ** 32, "now"),
  "another time": (draft, _stage, dice) => {
    draft.fields.set(OFFER_KEY.time, dice.pick([0, 1, 2 ** 32 - 1]));
    return undefined;
  },
  "a key too many": (draft, _stage, dice) => {
    draft.fields.set(13 + dice.below(80), dice.pick<CborValue>([0, "x", new Uint8Array(2)]));
    return "fault";
  },
  "a key too few": (draft, _stage, dice) => {
    draft.fields.delete(dice.pick([0, 1, 2, 3, 4, 5, 7, 8, 9, 12]));
    return "fault";
  },
  "another's tag": async (draft, { home, owner, guest }, dice) => {
    const { publicKey } = dice.pick([owner, guest.signer]);
    await home.passes.learn(publicKey);
    draft.tag = await passTag(await home.passes.pass(publicKey), await nonceOf(home));
    return "fault";
  },
};

export const OFFER_SPOILINGS = Object.keys(SPOILINGS);

/** Spoils a draft; gives its fault, if that is one. */
export async function spoil(
  name: string,
  draft: OfferDraft,
  { stage, dice }: { readonly stage: Stage; readonly dice: Dice },
): Promise<string | undefined> {
  return await SPOILINGS[name]!(draft, stage, dice) && name;
}

/** A claim whose proof is as good as the secret that Mallory has for it. */
async function claimIn(
  draft: OfferDraft,
  { home, mallory }: Stage,
  dice: Dice,
): Promise<CborValue> {
  const { token, secret } = dice.pick(mallory.claims);
  const proof = await claimProof(await claimKey(secret), {
    sessionId: draft.sessionId,
    browserPublicKey: draft.signer.publicKey,
    device: home.identity.id,
    claimId: readClaim(token).id,
  });
  return new Map([[0, token], [1, dice.chance(0.8) ? proof : dice.bytes(32)]]);
}

/** The boot nonce of the presence of now. */
export async function nonceOf(device: Scene): Promise<Bytes> {
  const { payload } = decodeEnvelope(await device.admissions.presence(), 512);
  return (decodeCbor(payload, 512) as Map<number, Bytes>).get(4)!;
}

function nine(): Bytes {
  return new Uint8Array(32).fill(9, 0, 1);
}

function one(): Bytes {
  return new Uint8Array(32).fill(1, 0, 1);
}
