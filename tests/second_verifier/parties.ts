/** Who signs, and which devices verify: all keys come from one seed, so that each chain can be made again byte for byte. */
import type { Bytes } from "../../src/lib/bytes.ts";
import { type Signer, signerFromSeed } from "../../src/trust/ed25519.ts";
import { deviceId, keyId } from "../../src/trust/key_id.ts";
import type { Dice } from "../evil_rendezvous/dice.ts";

const MAX_EPOCH = 0xffff_ffff;
/** Browsers and invites: as many as links in the longest list that is made. */
const HOLDERS = 6;

/** A key with its name on the wire. */
export interface Party extends Signer {
  readonly keyId: Bytes;
}

export interface Root extends Party {
  readonly epoch: number;
}

export interface Parties {
  readonly device: Root;
  readonly audience: Bytes;
  readonly otherAudience: Bytes;
  /** The device, and owners of several epochs. */
  readonly roots: readonly Root[];
  /** Was an owner once. */
  readonly removed: Party;
  readonly stranger: Party;
  readonly holders: readonly Party[];
}

/** What a verifier knows. */
export interface Verifier {
  readonly audience: Bytes;
  readonly roots: readonly Pick<Root, "publicKey" | "epoch">[];
}

export type VerifierName = "device" | "other device" | "device without owners";

export async function makeParties(dice: Dice): Promise<Parties> {
  const party = async () => await partyOf(await signerFromSeed(dice.bytes(32)));
  const root = async (epoch: number): Promise<Root> => ({ ...await party(), epoch });
  const device = await root(0);
  const other = await party();
  const holders: Party[] = [];
  for (let i = 0; i < HOLDERS; i++) holders.push(await party());
  return {
    device,
    audience: await deviceId(device.publicKey),
    otherAudience: await deviceId(other.publicKey),
    roots: [device, await root(0), await root(7), await root(MAX_EPOCH)],
    removed: await party(),
    stranger: await party(),
    holders,
  };
}

export async function partyOf(signer: Signer): Promise<Party> {
  return { ...signer, keyId: await keyId(signer.publicKey) };
}

/** The devices that are asked, by name. */
export function verifiersOf(parties: Parties): Readonly<Record<VerifierName, Verifier>> {
  const { audience, otherAudience, roots, device } = parties;
  return {
    "device": { audience, roots },
    "other device": { audience: otherAudience, roots },
    "device without owners": { audience, roots: [device] },
  };
}
