/** For tests of `control/`: offers of a browser that keeps no rule. No part of the product imports it. */
import type { Bytes } from "../../lib/bytes.ts";
import { randomBytes } from "../../trust/digest.ts";
import type { Signer } from "../../trust/ed25519.ts";
import { deviceId } from "../../trust/key_id.ts";
import { sealOffer } from "../../trust/offer.ts";
import { passTag } from "../../trust/pass.ts";
import { verifyPresence } from "../../trust/presence.ts";
import { BROWSER_TRANSPORT } from "../../trust/test_ends.ts";
import type { Scene } from "./scene.ts";

/** The boot nonce of now. */
export async function nonceOf(scene: Scene): Promise<Bytes> {
  const presence = await scene.admissions.presence();
  return (await verifyPresence(presence, scene.identity.signer.publicKey)).bootNonce;
}

export async function rawOffer(
  scene: Scene,
  signer: Signer,
  change: {
    readonly versions?: readonly number[];
    readonly tagOf?: Signer;
    readonly sessionId?: Bytes;
    readonly bootNonce?: Bytes;
  },
): Promise<Bytes> {
  const { signer: device, sealing } = scene.identity;
  const { tagOf, sessionId = randomBytes(16), bootNonce = await nonceOf(scene) } = change;
  const pass = tagOf && await scene.passes.pass(tagOf.publicKey);
  const offer = await sealOffer({
    sessionId,
    browserPublicKey: signer.publicKey,
    exchangeKey: randomBytes(32),
    bootNonce,
    versions: change.versions ?? [1],
    transport: BROWSER_TRANSPORT,
    candidates: [],
    label: "Mallory",
    time: scene.world.system,
  }, {
    device: await deviceId(device.publicKey),
    sealingKey: sealing[0]!.publicKey,
    epoch: sealing[0]!.epoch,
    browser: signer,
    ...(pass && { tag: await passTag(pass, bootNonce) }),
  });
  return offer.wire;
}
