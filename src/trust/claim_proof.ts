/**
 * Proof that a browser knows the one-time secret of a pairing link, without showing it. The device keeps a hash of the
 * secret only, so that hash is the key of the proof.
 *
 * HPKE's PSK mode would do the same and asks for 32 bytes of secret (RFC 9180 5.1.2), which a QR code would have to carry;
 * it is left for later (security.md 1.4).
 */
import { type Bytes, utf8 } from "../lib/bytes.ts";
import { hmacSha256, sha256 } from "./digest.ts";

const KEY_DOMAIN = utf8("porthole/claim-key/v1");
const PROOF_DOMAIN = utf8("porthole/claim-proof/v1");

export const CLAIM_PROOF_BYTES = 32;

/** What one proof stands for: this browser, in this session, with this device, for this claim. All of fixed length. */
export interface ClaimContext {
  readonly sessionId: Bytes;
  readonly browserPublicKey: Bytes;
  readonly device: Bytes;
  readonly claimId: Bytes;
}

/** What the device keeps of a secret. */
export async function claimKey(secret: Bytes): Promise<Bytes> {
  return await sha256(KEY_DOMAIN, secret);
}

/** The proof: 32 bytes. */
export async function claimProof(key: Bytes, context: ClaimContext): Promise<Bytes> {
  const { sessionId, browserPublicKey, device, claimId } = context;
  return await hmacSha256(key, PROOF_DOMAIN, sessionId, browserPublicKey, device, claimId);
}
