/**
 * A chain before it is signed, as a plan that may be spoiled in one place while all else still holds: what depends on
 * other links (issuer, parent, signature) is worked out when the plan is carried out, link by link.
 */
import { type Bytes, utf8 } from "../../src/lib/bytes.ts";
import { GRANT_HASH_BYTES, type GrantKind } from "../../src/trust/grant.ts";
import { sha256 } from "../../src/trust/digest.ts";
import { KEY } from "../../src/trust/token.ts";
import type { Dice } from "../evil_rendezvous/dice.ts";
import type { Parties, Party, Root, VerifierName } from "./parties.ts";
import { byteString, list, map, uint } from "./raw_cbor.ts";

/** What a scope says, in the numbers of the wire. */
export interface RawScope {
  services: number[];
  cameras: number[];
  operations: number;
}

/** What a link says, in the numbers of the wire, whether it may say so or not. */
export interface Terms {
  audience: Bytes;
  id: Bytes;
  from: number;
  expires: number;
  epoch: number;
  scope: RawScope;
  depth: number;
  ttl: number;
  /** Of invites only. */
  uses?: number;
}

/** Encoded values by payload key. */
export type Fields = Map<number, Bytes>;

export interface Draft {
  readonly kind: GrantKind;
  readonly terms: Terms;
  /** Signs the next link. */
  holder: Party;
  /** Signs this link instead of the holder before. */
  signer?: Party;
  /** The word under the signature, instead of the kind. */
  signedAs?: string;
  /** Changes the payload's values before they are written. */
  twist?: (fields: Fields) => void;
  /** Writes the payload instead of `writePayload`. */
  write?: (fields: Fields) => Bytes;
  /** Makes the token instead of `seal`. */
  seal?: (job: SealJob) => Promise<Bytes>;
}

export interface SealJob {
  readonly kind: string;
  readonly payload: Bytes;
  readonly signer: Party;
}

export interface Plan {
  root: Root | Party;
  drafts: Draft[];
  /** Who is asked; "device" if nothing else is said. */
  verifier?: VerifierName;
  /** Makes another chain of the finished tokens. */
  rearrange?: (tokens: readonly Bytes[]) => readonly Bytes[] | Promise<readonly Bytes[]>;
}

/** What plans are made of. */
export interface Kit {
  readonly parties: Parties;
  readonly dice: Dice;
}

export const PROTECTED: Bytes = Uint8Array.of(0xa1, 0x01, 0x32);
const NO_SIGNATURE: Bytes = new Uint8Array(64);
const NO_PARENT: Bytes = new Uint8Array(GRANT_HASH_BYTES);

/** Signs the links of a plan, the root's first. */
export async function carryOut(plan: Plan): Promise<readonly Bytes[]> {
  const tokens: Bytes[] = [];
  for (const [i, draft] of plan.drafts.entries()) {
    const before = plan.drafts[i - 1]?.holder ?? plan.root;
    const last = tokens.at(-1);
    const parent = last && (await sha256(last)).slice(0, GRANT_HASH_BYTES);
    const payload = payloadOf(draft, { issuer: before.keyId, parent });
    const kind = draft.signedAs ?? draft.kind;
    tokens.push(await (draft.seal ?? seal)({ kind, payload, signer: draft.signer ?? before }));
  }
  return await plan.rearrange?.(tokens) ?? tokens;
}

/** Bytes of all tokens together, found without signing any. */
export function sizeOf(drafts: readonly Draft[]): number {
  const sizes = drafts.map((draft, i) => {
    const parent = i === 0 ? undefined : NO_PARENT;
    const payload = payloadOf(draft, { issuer: draft.holder.keyId, parent });
    return envelope({ payload, signature: NO_SIGNATURE }).length;
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** A token as it should be. */
export async function seal({ kind, payload, signer }: SealJob): Promise<Bytes> {
  const signature = await signer.sign(signedBytes({ kind, payload, header: PROTECTED }));
  return envelope({ payload, signature });
}

export function envelope(parts: {
  readonly payload: Bytes;
  readonly signature: Bytes;
}): Bytes {
  const { payload, signature } = parts;
  return list([byteString(PROTECTED), map([]), byteString(payload), byteString(signature)]);
}

/** Sig_structure (RFC 9052 4.4). */
export function signedBytes(signed: {
  readonly kind: string;
  readonly payload: Bytes;
  readonly header: Bytes;
}): Bytes {
  const context = utf8("Signature1");
  const aad = utf8(`porthole/cap/v1/${signed.kind}`);
  return list([
    Uint8Array.of(0x60 | context.length, ...context),
    byteString(signed.header),
    byteString(aad),
    byteString(signed.payload),
  ]);
}

/** The values as a map, keys ascending. */
export function writePayload(fields: Fields): Bytes {
  return map(sorted(fields).map(([key, value]) => [uint(key), value]));
}

export function sorted(fields: Fields): [number, Bytes][] {
  return [...fields].sort(([one], [other]) => one - other);
}

export function encodeScope({ services, cameras, operations }: RawScope): Bytes {
  return map([
    [uint(0), list(services.map(uint))],
    [uint(1), list(cameras.map(uint))],
    [uint(2), uint(operations)],
  ]);
}

function payloadOf(
  draft: Draft,
  { issuer, parent }: { readonly issuer: Bytes; readonly parent: Bytes | undefined },
): Bytes {
  const { terms, holder } = draft;
  const fields: Fields = new Map([
    [KEY.version, uint(1)],
    [KEY.issuer, byteString(issuer)],
    [KEY.audience, byteString(terms.audience)],
    [KEY.holder, byteString(holder.publicKey)],
    [KEY.id, byteString(terms.id)],
    [KEY.from, uint(terms.from)],
    [KEY.expires, uint(terms.expires)],
    [KEY.epoch, uint(terms.epoch)],
    [KEY.scope, encodeScope(terms.scope)],
    [KEY.depth, uint(terms.depth)],
    [KEY.ttl, uint(terms.ttl)],
  ]);
  if (parent) fields.set(KEY.parent, byteString(parent));
  if (terms.uses !== undefined) fields.set(KEY.uses, uint(terms.uses));
  draft.twist?.(fields);
  return (draft.write ?? writePayload)(fields);
}
