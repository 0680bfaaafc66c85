import assert from "node:assert/strict";
import encodeQR from "qr";
import { concat, toBase64Url, toHex } from "../lib/bytes.ts";
import { decodeEnvelope, signEnvelope } from "./cose.ts";
import { randomBytes } from "./digest.ts";
import { deviceId, deviceIdText, keyId, parseDeviceId } from "./key_id.ts";
import { isLabel, tidyLabel } from "./label.ts";
import { decodePairLink, encodePairLink, PAIR_FRAGMENT } from "./pair_link.ts";
import { flipped, newSigner } from "./test_ends.ts";
import { readClaim, signClaim, verifyClaim } from "./token.ts";

const FIELDS = { id: new Uint8Array(16).fill(0x11), boot: new Uint8Array(8).fill(0x22) };

Deno.test("claim has exactly these payload bytes", async () => {
  const signer = await newSigner();
  const token = await signClaim(signer, FIELDS);
  const payload = "a5" + "0001" + "0148" + toHex(await keyId(signer.publicKey)) +
    "0250" + toHex(await deviceId(signer.publicKey)) + "0450" + "11".repeat(16) + "0c48" +
    "22".repeat(8);
  assert.equal(toHex(decodeEnvelope(token, 1024).payload), payload);
  assert.deepEqual(await verifyClaim(token, signer.publicKey), {
    kind: "claim",
    issuer: await keyId(signer.publicKey),
    audience: await deviceId(signer.publicKey),
    ...FIELDS,
  });
});

Deno.test("claim is refused cut, changed, of another kind or for another device", async () => {
  const signer = await newSigner();
  const token = await signClaim(signer, FIELDS);
  for (let i = 0; i < token.length; i++) {
    assert.throws(() => readClaim(token.slice(0, i)));
    await assert.rejects(verifyClaim(flipped(token, i), signer.publicKey));
  }
  const { payload } = decodeEnvelope(token, 1024);
  const guest = await signEnvelope("guest", payload, signer);
  await assert.rejects(verifyClaim(guest, signer.publicKey), { name: "SignatureError" });
  const other = await newSigner();
  await assert.rejects(verifyClaim(token, other.publicKey), /another device/);
  const posing = { publicKey: signer.publicKey, sign: other.sign };
  await assert.rejects(verifyClaim(await signClaim(posing, FIELDS), signer.publicKey), {
    name: "SignatureError",
  });
  await assert.rejects(verifyClaim(new Uint8Array(2000), signer.publicKey), /too long/);
});

Deno.test("pairing link gives back what it carries and fits a QR code of version 10", async () => {
  const signer = await newSigner();
  const link = {
    devicePublicKey: signer.publicKey,
    secret: randomBytes(16),
    claim: await signClaim(signer, FIELDS),
  };
  const text = encodePairLink(link);
  assert.equal(text.length, 183);
  assert.deepEqual(await decodePairLink(text), link);
  const prefixes = [
    "https://p.example.org/#".padEnd(30 - PAIR_FRAGMENT.length, "x"),
    "https://porthole.some-company.example.com:8443/some/folder/#".padEnd(
      88 - PAIR_FRAGMENT.length,
      "x",
    ),
  ];
  for (const prefix of prefixes) {
    const modules = encodeQR(prefix + PAIR_FRAGMENT + text, "raw", { ecc: "low", border: 1 });
    const version = (modules.length - 2 - 17) / 4;
    assert.ok(version <= 10, `version ${version}`);
  }
});

Deno.test("pairing link is refused cut, changed or prolonged anywhere", async () => {
  const signer = await newSigner();
  const claim = await signClaim(signer, FIELDS);
  const text = encodePairLink({
    devicePublicKey: signer.publicKey,
    secret: randomBytes(16),
    claim,
  });
  for (let i = 0; i < text.length; i++) {
    await assert.rejects(decodePairLink(text.slice(0, i)), SyntaxError);
    const isSecret = i >= 44 && i < 66; // bytes 33 to 48: nothing can be said about a wrong secret here
    if (isSecret) continue;
    const other = text[i] === "A" ? "B" : "A";
    await assert.rejects(decodePairLink(text.slice(0, i) + other + text.slice(i + 1)), SyntaxError);
  }
  for (
    const junk of [
      "",
      "=",
      `${text}A`,
      `${text}=`,
      ` ${text}`,
      "A".repeat(100_000),
      "é".repeat(183),
    ]
  ) {
    await assert.rejects(decodePairLink(junk), SyntaxError);
  }
});

Deno.test("pairing link refuses keys of another size", async () => {
  const signer = await newSigner();
  const claim = await signClaim(signer, FIELDS);
  const link = { devicePublicKey: signer.publicKey, secret: randomBytes(15), claim };
  assert.throws(() => encodePairLink(link), RangeError);
});

Deno.test("device id has 26 characters and reads back; nothing else does", async () => {
  const id = await deviceId((await newSigner()).publicKey);
  const text = deviceIdText(id);
  assert.match(text, /^[a-z2-7]{26}$/);
  assert.deepEqual(parseDeviceId(text), id);
  const bad = [
    "",
    text.slice(1),
    `${text}a`,
    text.toUpperCase(),
    text.slice(1) + "1",
    "a".repeat(25) + "b",
  ];
  for (const other of bad) assert.throws(() => parseDeviceId(other), SyntaxError, other);
  assert.throws(() => deviceIdText(concat(id, id)), RangeError);
});

Deno.test("ids of keys have the domains of security.md 1.2", async () => {
  const key = new Uint8Array(32).fill(7);
  const hash = async (domain: string) => {
    const bytes = concat(new TextEncoder().encode(domain), key);
    return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  };
  assert.deepEqual(await deviceId(key), (await hash("porthole/dev/v1")).slice(0, 16));
  assert.deepEqual(await keyId(key), (await hash("porthole/kid/v1")).slice(0, 8));
  assert.notEqual(toBase64Url(await keyId(key)), toBase64Url((await deviceId(key)).slice(0, 8)));
});

Deno.test("label keeps what people read and drops what disturbs a terminal or a page", () => {
  const tidied: [string, string][] = [
    ["Firefox on Linux", "Firefox on Linux"],
    ["  Küche 📱 ", "Küche 📱"],
    ["a\nb\u001b[31m\u2028\u202ec\u0000", "ab[31mc"],
    ["", "browser"],
    ["\u0000\u200b", "browser"],
    ["x".repeat(100), "x".repeat(64)],
    ["é".repeat(100), "é".repeat(32)],
    ["📱".repeat(100), "📱".repeat(16)],
  ];
  for (const [text, label] of tidied) {
    assert.equal(tidyLabel(text), label);
    assert.equal(isLabel(label), true);
    assert.equal(isLabel(text), text === label);
  }
});
