/** What an owner signs, with this browser's key: invites, and the ends of grants and owners. */
import type { Bytes } from "../../src/lib/bytes.ts";
import type { Signer } from "../../src/trust/ed25519.ts";
import { makeInvite } from "../../src/trust/invite_link.ts";
import { deviceId } from "../../src/trust/key_id.ts";
import { signRevocation } from "../../src/trust/revocation.ts";
import type { Signing } from "./owner_console.ts";

/** Signs for one device. */
export function createSigning(
  { signer, devicePublicKey }: { signer: Signer; devicePublicKey: Bytes },
): Signing {
  return {
    invite: ({ epoch, ...fields }) =>
      makeInvite({ ...fields, devicePublicKey, issuer: signer, issuerEpoch: epoch }),
    revocation: async (fields) =>
      await signRevocation({ ...fields, audience: await deviceId(devicePublicKey) }, signer),
  };
}
