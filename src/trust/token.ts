/**
 * Tokens: who may do what, as signed objects (security.md 1.2). This file is what all kinds share: the table of payload
 * keys, which kind has which, limits, and the way in and out. The kinds stand beside it:
 *
 *     claim.ts        a pairing window: the holder of its one-time secret becomes an owner
 *     grant.ts        invite and guest: the links of a chain, which chain.ts verifies from a root down
 *     revocation.ts   ends a grant, or removes an owner
 *
 * A token alone never authorises: its holder must also prove possession, of a key or of the secret.
 */
import type { Bytes } from "../lib/bytes.ts";
import { decodeEnvelope, type Envelope, type SignedKind, signEnvelope } from "./cose.ts";
import type { Signer } from "./ed25519.ts";
import {
  type CborValue,
  decodeCbor,
  encodeCbor,
  type MapLayout,
  type MapReader,
  readMap,
} from "./strict_cbor.ts";

/** Payload keys of all kinds: a number means the same in each that has it. 3 holds the holder's key (RFC 8747 3.1). */
export const KEY = {
  version: 0,
  issuer: 1,
  audience: 2,
  holder: 3,
  id: 4,
  /** `nbf` of grants; `iat` of revocations. */
  from: 5,
  expires: 6,
  epoch: 7,
  scope: 8,
  depth: 9,
  ttl: 10,
  parent: 11,
  boot: 12,
  uses: 13,
  target: 14,
  sequence: 15,
} as const;

const HEAD = [KEY.version, KEY.issuer, KEY.audience] as const;

/** Invite and guest differ by `uses`. A first link of a chain has no parent. */
const GRANT = [
  ...HEAD,
  KEY.holder,
  KEY.id,
  KEY.from,
  KEY.expires,
  KEY.epoch,
  KEY.scope,
  KEY.depth,
  KEY.ttl,
] as const;

export const LAYOUTS = {
  claim: { required: [...HEAD, KEY.id, KEY.boot] },
  invite: { required: [...GRANT, KEY.uses], optional: [KEY.parent] },
  guest: { required: GRANT, optional: [KEY.parent] },
  revoke: { required: [...HEAD, KEY.from, KEY.target, KEY.sequence] },
} as const satisfies Partial<Record<SignedKind, MapLayout>>;

/** Kinds that are tokens. `owner` is not one: another owner is made by a claim, too (ARCHITECTURE.md). */
export type TokenKind = keyof typeof LAYOUTS;

const VERSION = 1;

/** No token of any kind is longer, and no chain of them (security.md 1.2): what an offer must have room for. */
export const MAX_TOKEN_BYTES = 1024;
export const TOKEN_ID_BYTES = 16;
export const BOOT_ID_BYTES = 8;

/** Unix seconds in four bytes, until 2106. What links and records reserve for a time. */
export const MAX_TIME = 0xffff_ffff;
/** Epochs and sequence numbers go up by one for each act of a person. */
export const MAX_COUNT = 0xffff_ffff;

/** Signs a token: `fields` are all but the version. */
export async function signToken(
  kind: TokenKind,
  fields: readonly (readonly [number, CborValue])[],
  signer: Signer,
): Promise<Bytes> {
  return await signEnvelope(kind, tokenPayload(fields), signer);
}

/** The payload that `signToken` signs. */
export function tokenPayload(fields: readonly (readonly [number, CborValue])[]): Bytes {
  return encodeCbor(new Map<number, CborValue>([[KEY.version, VERSION], ...fields]));
}

/** A token taken apart. Nothing of it is believed. */
export interface OpenedToken<Kind extends TokenKind> {
  readonly kind: Kind;
  readonly map: MapReader;
  readonly envelope: Envelope;
}

/**
 * Takes a token apart, as the one of these kinds whose keys it has. Throws a CborError or SignatureError for anything
 * else. Says nothing about the kind as which it was signed: verify as the kind that stands in the answer.
 */
export function openToken<Kind extends TokenKind>(
  token: Bytes,
  kindOf: (map: ReadonlyMap<number, CborValue>) => Kind,
): OpenedToken<Kind> {
  const envelope = decodeEnvelope(token, MAX_TOKEN_BYTES);
  const value = decodeCbor(envelope.payload, MAX_TOKEN_BYTES);
  const kind = kindOf(value instanceof Map ? value : new Map());
  const map = readMap(value, LAYOUTS[kind]);
  map.expect(KEY.version, VERSION);
  return { kind, map, envelope };
}
