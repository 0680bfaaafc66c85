/** Links that let a browser in, read: `#pair=…` makes it an owner, `#borrow=…` a guest. Nothing is sent to anybody here. */
import type { Signer } from "../../src/trust/ed25519.ts";
import { decodeInviteLink, redeemInvite } from "../../src/trust/invite_link.ts";
import { deviceId, deviceIdText } from "../../src/trust/key_id.ts";
import { decodePairLink } from "../../src/trust/pair_link.ts";
import type { EntryLink } from "./app.ts";

/** What is to be read, and this browser's key, which is made when it is first needed. */
export interface LinkText {
  readonly kind: "pair" | "borrow";
  /** What stands behind "pair=" or "borrow=". */
  readonly text: string;
  browser(): Promise<Signer>;
}

/** Rejects with a SyntaxError for a link that is damaged. */
export function readLink(link: LinkText): Promise<EntryLink> {
  return link.kind === "pair" ? readPairLink(link) : readInviteLink(link);
}

async function readPairLink({ text }: LinkText): Promise<EntryLink> {
  const { devicePublicKey, secret, claim } = await decodePairLink(text);
  return {
    device: deviceIdText(await deviceId(devicePublicKey)),
    publicKey: devicePublicKey,
    credentials: () => Promise.resolve({ claim: { secret, token: claim } }),
  };
}

async function readInviteLink({ text, browser }: LinkText): Promise<EntryLink> {
  const invite = await decodeInviteLink(text);
  const { devicePublicKey } = invite;
  return {
    device: deviceIdText(await deviceId(devicePublicKey)),
    publicKey: devicePublicKey,
    credentials: async () => ({ grants: await redeemInvite(invite, (await browser()).publicKey) }),
  };
}
