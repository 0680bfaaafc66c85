import assert from "node:assert/strict";
import encodeQR from "qr";
import { concat, fromBase64Url, toBase64Url, toHex } from "../lib/bytes.ts";
import { verifyChain } from "./chain.ts";
import { decodeEnvelope } from "./cose.ts";
import { signerFromSeed } from "./ed25519.ts";
import { grantHash, readGrant, signGrant } from "./grant.ts";
import {
  BORROW_FRAGMENT,
  decodeInviteLink,
  encodeInviteLink,
  inviteSigner,
  makeInvite,
  MAX_LINK_NUMBERS,
  redeemInvite,
} from "./invite_link.ts";
import { deviceId, keyId } from "./key_id.ts";
import { newDevice, newInvite, newSigner, NOON, SCOPE } from "./test_ends.ts";

const SEED = new Uint8Array(16).fill(0x33);
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

Deno.test("borrow link has exactly these bytes and gives back what it carries", async () => {
  const [device, owner] = [await newSigner(), await newSigner()];
  const token = await signGrant("invite", {
    audience: await deviceId(device.publicKey),
    holder: (await inviteSigner(SEED)).publicKey,
    id: new Uint8Array(16).fill(0x11),
    notBefore: 1_800_000_000,
    expires: 1_800_086_400,
    epoch: 3,
    scope: SCOPE,
    depth: 1,
    ttl: 86_400,
    uses: 2,
  }, owner);
  const link = { devicePublicKey: device.publicKey, seed: SEED, token };
  const text = encodeInviteLink(link);
  assert.equal(
    toHex(fromBase64Url(text)),
    "01" + toHex(device.publicKey) + "33".repeat(16) + toHex(await keyId(owner.publicKey)) +
      "11".repeat(16) + "6b49d200" + "6b4b2380" + "00000003" + "00015180" + "01" + "02" + "05" +
      "02" + "01" + "00010004" + "0002" + toHex(decodeEnvelope(token, 1024).signature),
  );
  assert.deepEqual(await decodeInviteLink(text), link);
});

Deno.test("invite's key follows from the seed alone", async () => {
  const signer = await inviteSigner(SEED);
  const base = await crypto.subtle.importKey("raw", SEED, "HKDF", false, ["deriveBits"]);
  const info = new TextEncoder().encode("porthole/invite-key/v1");
  const derivation = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info };
  const bits = new Uint8Array(await crypto.subtle.deriveBits(derivation, base, 256));
  assert.deepEqual(signer.publicKey, (await signerFromSeed(bits)).publicKey);
  assert.notDeepEqual((await inviteSigner(new Uint8Array(16))).publicKey, signer.publicKey);
  await assert.rejects(inviteSigner(new Uint8Array(15)), RangeError);
});

Deno.test("borrow link fits a QR code of version 10 with four services and four cameras", async () => {
  const [device, owner] = [await newDevice(), await newSigner()];
  const scope = { services: upTo(4), cameras: upTo(4), operations: ["view"] as const };
  const { fragment } = await newInvite(device, owner, { scope });
  assert.equal(fragment.length, BORROW_FRAGMENT.length + 232);
  const most = { ...scope, services: upTo(MAX_LINK_NUMBERS - 4) };
  const { fragment: longest } = await newInvite(device, owner, { scope: most });
  const prefixed: [string, number][] = [[fragment, 39], [longest, 30]];
  for (const [text, prefix] of prefixed) {
    const url = "https://p.example.org/#".padEnd(prefix - BORROW_FRAGMENT.length, "x") + text;
    const modules = encodeQR(url, "raw", { ecc: "low", border: 1 });
    assert.equal((modules.length - 2 - 17) / 4, 10);
  }
});

Deno.test("borrow link refuses more than it has room for, and says how much that is", async () => {
  const [device, owner] = [await newDevice(), await newSigner()];
  const scope = { services: upTo(8), cameras: upTo(4), operations: ["view"] as const };
  await assert.rejects(
    newInvite(device, owner, { scope }),
    /RangeError: Cannot write borrow link: it has room for 11 services and cameras, not 12/,
  );
});

Deno.test("borrow link refuses what is no owner's invite", async () => {
  const [device, owner] = [await newDevice(), await newSigner()];
  const { link } = await newInvite(device, owner);
  const { kind: _kind, issuer: _issuer, uses: _uses, ...fields } = readGrant(link.token);
  const guest = await signGrant("guest", fields, owner);
  const below = await signGrant(
    "invite",
    { ...fields, uses: 1, parent: await grantHash(guest) },
    owner,
  );
  for (const token of [guest, below]) {
    assert.throws(() => encodeInviteLink({ ...link, token }), RangeError);
  }
  assert.throws(() => encodeInviteLink({ ...link, seed: new Uint8Array(15) }), RangeError);
  assert.throws(
    () => encodeInviteLink({ ...link, devicePublicKey: new Uint8Array(31) }),
    RangeError,
  );
  assert.throws(() => encodeInviteLink({ ...link, token: new Uint8Array(200) }));
});

Deno.test("borrow link is refused cut or prolonged anywhere", async () => {
  const { fragment } = await newInvite(await newDevice(), await newSigner());
  const text = fragment.slice(BORROW_FRAGMENT.length);
  for (let i = 0; i < text.length; i++) {
    await assert.rejects(decodeInviteLink(text.slice(0, i)), SyntaxError, `${i}`);
  }
  const junk = [
    "=",
    `${text}A`,
    `${text}AAAA`,
    `${text}=`,
    ` ${text}`,
    "A".repeat(100_000),
    "é".repeat(200),
    fragment,
  ];
  for (const other of junk) await assert.rejects(decodeInviteLink(other), SyntaxError);
});

Deno.test("borrow link with any byte changed is refused by the page or by the device", async () => {
  const [device, owner, browser] = [await newDevice(), await newSigner(), await newSigner()];
  const { fragment } = await newInvite(device, owner);
  const bytes = fromBase64Url(fragment.slice(BORROW_FRAGMENT.length));
  const audience = await deviceId(device.signer.publicKey);
  const verify = async (link: Parameters<typeof redeemInvite>[0]) =>
    await verifyChain({
      chain: await redeemInvite(link, browser.publicKey),
      audience,
      roots: () => ({ publicKey: owner.publicKey, epoch: 0 }),
    });
  for (let i = 0; i < bytes.length; i++) {
    const changed = concat(bytes);
    changed[i]! ^= 1;
    let link;
    try {
      link = await decodeInviteLink(toBase64Url(changed));
    } catch (error) {
      assert.ok(error instanceof SyntaxError);
      continue;
    }
    await assert.rejects(verify(link), { code: "grant_invalid" }, `byte ${i}`);
  }
});

Deno.test("borrow link of an invite that the device made is verified whole by the page", async () => {
  const device = await newDevice();
  const { fragment, link } = await newInvite(device, device.signer);
  assert.equal(readGrant(link.token).uses, 1);
  const bytes = fromBase64Url(fragment.slice(BORROW_FRAGMENT.length));
  for (let i = 0; i < bytes.length; i++) {
    if (i >= 49 && i < 57) continue; // the issuer: it becomes an owner that the page does not know
    const changed = concat(bytes);
    changed[i]! ^= 1;
    if (i >= 1 && i < 33) continue; // the device's key: likewise
    await assert.rejects(decodeInviteLink(toBase64Url(changed)), SyntaxError, `byte ${i}`);
  }
});

Deno.test("invite that is redeemed gives a chain for this browser with all that was lent", async () => {
  const [device, owner, browser] = [await newDevice(), await newSigner(), await newSigner()];
  const { token, id, link } = await newInvite(device, owner, { uses: 3, issuerEpoch: 5 });
  const [invite, guest] = await redeemInvite(link, browser.publicKey);
  assert.deepEqual(invite, token);
  const [outer, inner] = [readGrant(invite), readGrant(guest)];
  assert.deepEqual(outer.id, id);
  assert.notDeepEqual(inner.id, outer.id);
  assert.deepEqual(inner, {
    kind: "guest",
    issuer: await keyId((await inviteSigner(link.seed)).publicKey),
    audience: await deviceId(device.signer.publicKey),
    holder: browser.publicKey,
    id: inner.id,
    notBefore: NOON - 3600,
    expires: NOON + 23 * 3600,
    epoch: 5,
    scope: SCOPE,
    depth: 0,
    ttl: 24 * 3600,
    parent: await grantHash(invite),
  });
  const again = await redeemInvite(link, browser.publicKey);
  assert.notDeepEqual(readGrant(again[1]).id, inner.id);
});

Deno.test("invite is not made for terms that no grant may have", async () => {
  const [device, issuer] = [await newSigner(), await newSigner()];
  const terms = {
    devicePublicKey: device.publicKey,
    issuer,
    issuerEpoch: 0,
    scope: SCOPE,
    notBefore: NOON,
    expires: NOON + 1,
    ttl: 1,
    uses: 1,
  };
  assert.ok(await makeInvite(terms));
  const bad = [{ expires: NOON }, { ttl: 0 }, { uses: 0 }, { uses: 65 }, { notBefore: 0.5 }];
  for (const change of bad) {
    await assert.rejects(makeInvite({ ...terms, ...change }), { name: "CborError" });
  }
});
