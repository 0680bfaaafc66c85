import assert from "node:assert/strict";
import { fromHex, toHex, utf8 } from "../lib/bytes.ts";
import { randomBytes } from "./digest.ts";
import { pad, unpad } from "./padding.ts";
import {
  CounterOpener,
  CounterSealer,
  directionKey,
  type ExchangeKey,
  generateExchangeKey,
  openSealed,
  sealTo,
  sharedSecret,
} from "./seal.ts";
import { flipped } from "./test_ends.ts";

/** An X25519 key from its 32 private bytes. */
async function exchangeKey(secret: string, publicKey: string): Promise<ExchangeKey> {
  const pkcs8 = fromHex("302e020100300506032b656e04220420" + secret); // RFC 8410 7
  const name = { name: "X25519" };
  return {
    publicKey: fromHex(publicKey),
    pair: {
      privateKey: await crypto.subtle.importKey("pkcs8", pkcs8, name, true, ["deriveBits"]),
      publicKey: await crypto.subtle.importKey("raw", fromHex(publicKey), name, true, []),
    },
  };
}

Deno.test("seal opens the base-mode vector of RFC 9180 A.1.1", async () => {
  const recipient = await exchangeKey(
    "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8",
    "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d",
  );
  const text = await openSealed(recipient, {
    enc: fromHex("37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431"),
    info: fromHex("4f6465206f6e2061204772656369616e2055726e"),
    additional: fromHex("436f756e742d30"),
    sealed: fromHex(
      "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a9" +
        "6d8770ac83d07bea87e13c512a",
    ),
  });
  assert.equal(toHex(text), "4265617574792069732074727574682c20747275746820626561757479");
});

Deno.test("seal agrees on the secret of RFC 7748 6.1", async () => {
  const alice = await exchangeKey(
    "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
    "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
  );
  const bob = fromHex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  const secret = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
  assert.equal(toHex(await sharedSecret(alice, bob)), secret);
});

Deno.test("seal agrees on one secret from both sides and refuses keys of small order", async () => {
  const [one, other] = [await generateExchangeKey(false), await generateExchangeKey(false)];
  const secret = await sharedSecret(one, other.publicKey);
  assert.deepEqual(await sharedSecret(other, one.publicKey), secret);
  for (
    const small of [
      "00".repeat(32),
      "01" + "00".repeat(31),
      "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
      "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ]
  ) {
    await assert.rejects(sharedSecret(one, fromHex(small)), small);
  }
  await assert.rejects(crypto.subtle.exportKey("pkcs8", one.pair.privateKey));
});

Deno.test("seal opens only with the key, info, additional data and bytes that it was made with", async () => {
  const key = await generateExchangeKey(false);
  const [info, additional] = [utf8("info"), utf8("head")];
  const sealing = await sealTo(key.publicKey, info);
  const sealed = await sealing.seal(utf8("text"), additional);
  const message = { enc: sealing.enc, info, additional, sealed };
  assert.deepEqual(await openSealed(key, message), utf8("text"));
  await assert.rejects(openSealed(await generateExchangeKey(false), message));
  await assert.rejects(openSealed(key, { ...message, info: utf8("Info") }));
  await assert.rejects(openSealed(key, { ...message, additional: utf8("Head") }));
  for (let i = 0; i < sealed.length; i++) {
    await assert.rejects(openSealed(key, { ...message, sealed: flipped(sealed, i) }));
    await assert.rejects(openSealed(key, { ...message, sealed: sealed.slice(0, i) }));
  }
  for (let i = 0; i < 31; i++) { // the last bit of an X25519 key is ignored (RFC 7748 5)
    await assert.rejects(openSealed(key, { ...message, enc: flipped(sealing.enc, i) }));
  }
});

Deno.test("seal counts: each message opens once, in order, and junk does not put it out of step", async () => {
  const draw = { salt: randomBytes(32), label: "a" };
  const secret = randomBytes(64);
  const key = await directionKey(secret, draw);
  const [sealer, opener] = [new CounterSealer(key), new CounterOpener(key)];
  const head = utf8("head");
  const sealed = await Promise.all(["0", "1", "2"].map((text) => sealer.seal(utf8(text), head)));
  assert.equal(new Set(sealed.map((bytes) => toHex(bytes))).size, 3);
  await assert.rejects(opener.open(sealed[1]!, head));
  assert.deepEqual(await opener.open(sealed[0]!, head), utf8("0"));
  await assert.rejects(opener.open(sealed[0]!, head));
  await assert.rejects(opener.open(sealed[1]!, utf8("Head")));
  await assert.rejects(opener.open(flipped(sealed[1]!, 3), head));
  const both = [opener.open(sealed[1]!, head), opener.open(sealed[2]!, head)];
  assert.deepEqual(await Promise.all(both), [utf8("1"), utf8("2")]);
  const others = [
    await directionKey(secret, { ...draw, label: "b" }),
    await directionKey(secret, { ...draw, salt: randomBytes(32) }),
    await directionKey(randomBytes(64), draw),
  ];
  for (const other of others) {
    await assert.rejects(new CounterOpener(other).open(sealed[0]!, head));
  }
  await assert.rejects(crypto.subtle.exportKey("raw", key));
});

Deno.test("padding comes off as it was put on and hides the length up to the next size", () => {
  for (const length of [0, 1, 6, 7, 14]) {
    const text = randomBytes(length);
    const padded = pad(text, [8, 16]);
    assert.equal(padded.length, length <= 6 ? 8 : 16);
    assert.deepEqual(unpad(padded, [8, 16]), text);
  }
  assert.throws(() => pad(new Uint8Array(15), [8, 16]), RangeError);
  for (
    const hex of ["0007" + "00".repeat(6), "ffff" + "00".repeat(6), "0001aa0000000001", "00", ""]
  ) {
    assert.throws(() => unpad(fromHex(hex), [8, 16]), RangeError, hex);
  }
});
