/**
 * Grants: the tokens that lend a part of a device. Two kinds with one payload (`token.ts` has its keys):
 *
 *     invite   names a key that is made from the seed in a link: whoever has the seed may name `uses` browsers
 *     guest    names the key of a browser
 *
 * A grant stands in a chain that begins with an owner or the device (`chain.ts`); alone it says nothing.
 */
import type { Bytes } from "../lib/bytes.ts";
import { encodeEnvelope, type Envelope } from "./cose.ts";
import { sha256 } from "./digest.ts";
import { PUBLIC_KEY_BYTES, type Signer } from "./ed25519.ts";
import { DEVICE_ID_BYTES, KEY_ID_BYTES, keyId } from "./key_id.ts";
import { encodeScope, readScope, type Scope } from "./scope.ts";
import { CborError, type CborValue, type MapReader } from "./strict_cbor.ts";
import {
  KEY,
  MAX_COUNT,
  MAX_TIME,
  openToken,
  signToken,
  TOKEN_ID_BYTES,
  tokenPayload,
} from "./token.ts";

export type GrantKind = "invite" | "guest";

/** What a grant says, but for its issuer. */
export interface GrantFields {
  /** The device, 16 bytes. */
  readonly audience: Bytes;
  /** `cnf`: the key that the grant is for, Ed25519, 32 bytes. */
  readonly holder: Bytes;
  /** `cti`: random, 16 bytes. What revocations name, and of an invite what is consumed. */
  readonly id: Bytes;
  /** Unix seconds. */
  readonly notBefore: number;
  /** Unix seconds, later than `notBefore`. */
  readonly expires: number;
  /** Epoch of the owner or device at the head of the chain: raising it ends all grants from before. */
  readonly epoch: number;
  readonly scope: Scope;
  /** How many links may follow: 0 to 2, of an invite at least 1; in each link less than in the one before. */
  readonly depth: number;
  /** Seconds of the device's monotonic clock from the redemption on, 1 s to 10 years: holds without a true time. */
  readonly ttl: number;
  /** `grantHash` of the link before; the first link has none. */
  readonly parent?: Bytes;
  /** How many browsers may redeem an invite, 1 to 64. Guests have none. */
  readonly uses?: number;
}

/** A grant that was read. */
export interface Grant extends GrantFields {
  readonly kind: GrantKind;
  /** Key id of the signer, 8 bytes. */
  readonly issuer: Bytes;
}

/** A grant, and what its signature is verified by. */
export interface OpenedGrant {
  readonly grant: Grant;
  readonly envelope: Envelope;
}

/** Links below the first: guests may pass a part on, and their guests once more. */
export const MAX_GRANT_DEPTH = 2;
/** 10 years of 365 days. */
export const MAX_TTL_SECONDS = 10 * 365 * 24 * 3600;
/** A party, not a city. */
export const MAX_USES = 64;
export const GRANT_HASH_BYTES = 16;

/** Signs a grant. Rejects with a CborError for fields that `readGrant` would not take. */
export async function signGrant(
  kind: GrantKind,
  fields: GrantFields,
  signer: Signer,
): Promise<Bytes> {
  const entries = grantEntries(await keyId(signer.publicKey), fields);
  const token = await signToken(kind, entries, signer);
  if (readGrant(token).kind !== kind) {
    throw new CborError(`Cannot write ${kind}: invites have uses, guests have none`);
  }
  return token;
}

/** Puts a grant together from its parts and a signature. Throws like `readGrant`. */
export function assembleGrant(fields: Omit<Grant, "kind">, signature: Bytes): Bytes {
  const payload = tokenPayload(grantEntries(fields.issuer, fields));
  const token = encodeEnvelope({ payload, signature });
  readGrant(token);
  return token;
}

/** Reads a grant without believing it. Throws a CborError or SignatureError for anything that is none. */
export function readGrant(token: Bytes): Grant {
  return openGrant(token).grant;
}

/** Reads a grant without believing it, together with its signature. Throws like `readGrant`. */
export function openGrant(token: Bytes): OpenedGrant {
  const { kind, map, envelope } = openToken(
    token,
    (payload) => payload.has(KEY.uses) ? "invite" : "guest",
  );
  const grant = { kind, ...readFields(map) };
  if (grant.expires <= grant.notBefore) {
    throw new CborError("Cannot read grant: it ends before it begins");
  }
  if (kind === "invite" && grant.depth === 0) {
    throw new CborError("Cannot read grant: an invite that nobody can redeem");
  }
  return { grant, envelope };
}

/** What the next link calls its parent: 16 bytes. */
export async function grantHash(token: Bytes): Promise<Bytes> {
  return (await sha256(token)).slice(0, GRANT_HASH_BYTES);
}

function readFields(map: MapReader): Omit<Grant, "kind"> {
  return {
    issuer: map.bytes(KEY.issuer, KEY_ID_BYTES),
    audience: map.bytes(KEY.audience, DEVICE_ID_BYTES),
    holder: map.bytes(KEY.holder, PUBLIC_KEY_BYTES),
    id: map.bytes(KEY.id, TOKEN_ID_BYTES),
    notBefore: map.uint(KEY.from, MAX_TIME),
    expires: map.uint(KEY.expires, MAX_TIME),
    epoch: map.uint(KEY.epoch, MAX_COUNT),
    scope: readScope(map.value(KEY.scope)),
    depth: map.uint(KEY.depth, MAX_GRANT_DEPTH),
    ttl: positive(map, KEY.ttl, MAX_TTL_SECONDS),
    ...(map.has(KEY.parent) ? { parent: map.bytes(KEY.parent, GRANT_HASH_BYTES) } : {}),
    ...(map.has(KEY.uses) ? { uses: positive(map, KEY.uses, MAX_USES) } : {}),
  };
}

function positive(map: MapReader, key: number, max: number): number {
  const value = map.uint(key, max);
  if (value === 0) throw new CborError(`Cannot read grant: key ${key} is 0`);
  return value;
}

function grantEntries(issuer: Bytes, fields: GrantFields): [number, CborValue][] {
  const entries: [number, CborValue][] = [
    [KEY.issuer, issuer],
    [KEY.audience, fields.audience],
    [KEY.holder, fields.holder],
    [KEY.id, fields.id],
    [KEY.from, fields.notBefore],
    [KEY.expires, fields.expires],
    [KEY.epoch, fields.epoch],
    [KEY.scope, encodeScope(fields.scope)],
    [KEY.depth, fields.depth],
    [KEY.ttl, fields.ttl],
  ];
  if (fields.parent !== undefined) entries.push([KEY.parent, fields.parent]);
  if (fields.uses !== undefined) entries.push([KEY.uses, fields.uses]);
  return entries;
}
