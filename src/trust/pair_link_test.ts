import assert from "node:assert/strict";
import encodeQR from "qr";
import { signClaim } from "./claim.ts";
import { randomBytes } from "./digest.ts";
import { decodePairLink, encodePairLink, PAIR_FRAGMENT } from "./pair_link.ts";
import { newSigner } from "./test_ends.ts";

const FIELDS = { id: new Uint8Array(16).fill(0x11), boot: new Uint8Array(8).fill(0x22) };

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
