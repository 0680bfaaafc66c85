/** The examples of PROTOCOL.md about tokens, made again: Ed25519 and its encodings are deterministic. */
import assert from "node:assert/strict";
import { toHex } from "../lib/bytes.ts";
import { verifyChain } from "./chain.ts";
import { checkNumber } from "./check_number.ts";
import { decodeEnvelope } from "./cose.ts";
import { signerFromSeed } from "./ed25519.ts";
import { type GrantFields, grantHash, signGrant } from "./grant.ts";
import { BORROW_FRAGMENT, encodeInviteLink, inviteSigner } from "./invite_link.ts";
import { deviceId } from "./key_id.ts";
import { passFor, passTag } from "./pass.ts";
import { signRevocation } from "./revocation.ts";
import { SCOPE } from "./test_ends.ts";

const fill = (length: number, byte: number) => new Uint8Array(length).fill(byte);

const text = (await Deno.readTextFile(new URL("../../PROTOCOL.md", import.meta.url)))
  .replaceAll(/\s/g, "");

function assertShown(...parts: readonly string[]): void {
  for (const part of parts) assert.ok(text.includes(part), `PROTOCOL.md does not show ${part}`);
}

function assertTokenShown(token: Uint8Array<ArrayBuffer>): void {
  const { payload, signature } = decodeEnvelope(token, 1024);
  assertShown(toHex(payload) + toHex(signature));
}

Deno.test("protocol's example of an invite, its link, its guest and its end is what the code makes", async () => {
  const device = await signerFromSeed(fill(32, 0xd1));
  const owner = await signerFromSeed(fill(32, 0xb1));
  const guest = await signerFromSeed(fill(32, 0xb2));
  const seed = fill(16, 0x33);
  const key = await inviteSigner(seed);
  const audience = await deviceId(device.publicKey);
  const fields: GrantFields = {
    audience,
    holder: key.publicKey,
    id: fill(16, 0x11),
    notBefore: 1_800_000_000,
    expires: 1_800_086_400,
    epoch: 0,
    scope: SCOPE,
    depth: 1,
    ttl: 86_400,
  };
  const token = await signGrant("invite", { ...fields, uses: 2 }, owner);
  assertTokenShown(token);
  const link = { devicePublicKey: device.publicKey, seed, token };
  assertShown(`#${BORROW_FRAGMENT}${encodeInviteLink(link)}`);
  const below = { holder: guest.publicKey, id: fill(16, 0x12), depth: 0 };
  const parent = await grantHash(token);
  const last = await signGrant("guest", { ...fields, ...below, parent }, key);
  assertTokenShown(last);
  const { holder } = await verifyChain({
    chain: [token, last],
    audience,
    roots: () => ({ publicKey: owner.publicKey, epoch: 0 }),
  });
  assert.deepEqual(holder, guest.publicKey);
  const target = { kind: "grant", id: fields.id } as const;
  const end = { audience, issuedAt: 1_800_000_000, target, sequence: 1 };
  assertTokenShown(await signRevocation(end, owner));
});

Deno.test("protocol's example of a pass, a tag and a check number is what the code makes", async () => {
  const owner = await signerFromSeed(fill(32, 0xb1));
  const pass = await passFor(fill(32, 0x99), owner.publicKey);
  assertShown(toHex(pass), toHex(await passTag(pass, fill(16, 0x66))));
  assertShown(await checkNumber(fill(1093, 1), fill(1073, 2)));
});
