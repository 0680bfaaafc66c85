/**
 * Chains of grants, verified from a root down without asking anybody (security.md 1.2). It knows no clock and no store:
 * whether a link was revoked or used up and what time it is are control's to judge, from what stands here.
 *
 *     root (an owner, or the device)
 *       | signs
 *     invite or guest -- its holder signs --> ... --> guest: the browser that makes the offer
 *
 *     1 to 3 links; an invite is followed by one guest, a guest by another link or by none; the last is a guest
 *
 * Each link may only narrow: fewer things, later start, earlier end, less time, less depth. Proof of possession is not
 * here: the offer is signed by the last holder, and control compares.
 */
import { type Bytes, equalBytes } from "../lib/bytes.ts";
import { verifyEnvelope } from "./cose.ts";
import { type Grant, grantHash, type OpenedGrant, openGrant } from "./grant.ts";
import { keyId } from "./key_id.ts";
import { isWithin, type Scope } from "./scope.ts";
import { MAX_TOKEN_BYTES } from "./token.ts";

export const MAX_CHAIN_LINKS = 3;
/** All links together (security.md 1.2). Ten numbers of services and cameras take 230 bytes a link. */
export const MAX_CHAIN_BYTES = MAX_TOKEN_BYTES;

/** Who may sign a first link. */
export interface ChainRoot {
  /** Ed25519, 32 bytes. */
  readonly publicKey: Bytes;
  /** Grants of this one hold. Not of a later one: whoever signs could write any, and outlive a removal with it. */
  readonly epoch: number;
}

export interface ChainOptions {
  /** Tokens, the root's first. */
  readonly chain: readonly Bytes[];
  /** Id of the device that verifies, 16 bytes. */
  readonly audience: Bytes;
  /** The root of this key id, if it is one. */
  readonly roots: (keyId: Bytes) => ChainRoot | undefined;
}

/** A link that holds. */
export type VerifiedLink = Grant & { readonly token: Bytes };

/** A chain that holds, but for time, revocation and use. */
export interface VerifiedChain {
  /** Key of the guest's browser: the offer must be signed by it. */
  readonly holder: Bytes;
  /** The root's first. */
  readonly links: readonly VerifiedLink[];
  /** What the last link says, the narrowest of all. */
  readonly scope: Scope;
  readonly notBefore: number;
  readonly expires: number;
  readonly ttl: number;
}

/** The chain does not hold. The message says which rule, for tests and the log; peers see the code only. */
export class ChainError extends Error {
  override name = "ChainError";
  readonly code = "grant_invalid";
}

/** Verifies a chain in the order of security.md 1.2. Rejects with a ChainError, whatever is wrong. */
export async function verifyChain(options: ChainOptions): Promise<VerifiedChain> {
  const links = readLinks(options.chain);
  checkOrder(links);
  const { grant: first } = links[0]!; // checkOrder refuses an empty chain
  const root = options.roots(first.issuer);
  if (root === undefined) throw refuse("it is issued by nobody known");
  let key = root.publicKey;
  for (const [i, link] of links.entries()) {
    await checkSignature(link, key);
    if (!equalBytes(link.grant.audience, options.audience)) {
      throw refuse("it is for another device");
    }
    const parent = links[i - 1];
    if (parent) await checkNarrowing(link.grant, parent);
    key = link.grant.holder;
  }
  if (first.epoch !== root.epoch) throw refuse("its epoch is not the root's");
  return summary(links);
}

interface Link extends OpenedGrant {
  readonly token: Bytes;
}

/** Cuts all links into their parts. Bounded by the size, before anything costs a signature. */
function readLinks(chain: readonly Bytes[]): readonly Link[] {
  if (chain.length < 1 || chain.length > MAX_CHAIN_LINKS) throw refuse("it has not 1 to 3 links");
  const size = chain.reduce((sum, token) => sum + token.length, 0);
  if (size > MAX_CHAIN_BYTES) throw refuse("it is too long");
  try {
    return chain.map((token) => ({ token, ...openGrant(token) }));
  } catch (cause) {
    throw refuse("a link cannot be read", cause);
  }
}

function checkOrder(links: readonly Link[]): void {
  for (const [i, { grant }] of links.entries()) {
    const next = links[i + 1]?.grant.kind;
    if (grant.kind === "invite" && next !== "guest") throw refuse("an invite is not redeemed");
    if ((grant.parent === undefined) !== (i === 0)) throw refuse("a link is out of its place");
  }
}

async function checkSignature({ grant, envelope }: Link, key: Bytes): Promise<void> {
  if (!equalBytes(grant.issuer, await keyId(key))) throw refuse("a link has another issuer");
  try {
    await verifyEnvelope(grant.kind, envelope, key);
  } catch (cause) {
    throw refuse("a signature does not hold", cause);
  }
}

async function checkNarrowing(grant: Grant, parent: Link): Promise<void> {
  const outer = parent.grant;
  const hash = await grantHash(parent.token);
  if (!grant.parent || !equalBytes(grant.parent, hash)) throw refuse("a link has another parent");
  if (!isWithin(grant.scope, outer.scope)) throw refuse("its scope widens");
  if (grant.expires > outer.expires) throw refuse("it ends later than its parent");
  if (grant.notBefore < outer.notBefore) throw refuse("it begins before its parent");
  if (grant.ttl > outer.ttl) throw refuse("its ttl is longer than its parent's");
  if (grant.depth >= outer.depth) throw refuse("its depth does not shrink");
  if (grant.epoch !== outer.epoch) throw refuse("its epoch is not its parent's");
}

function summary(links: readonly Link[]): VerifiedChain {
  const { holder, scope, notBefore, expires, ttl } = links.at(-1)!.grant; // at least one link
  const verified = links.map(({ grant, token }) => ({ ...grant, token }));
  return { holder, links: verified, scope, notBefore, expires, ttl };
}

function refuse(rule: string, cause?: unknown): ChainError {
  return new ChainError(`Cannot accept grant: ${rule}`, { cause });
}
