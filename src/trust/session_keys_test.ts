import assert from "node:assert/strict";
import { hkdfSync } from "node:crypto";
import { type Bytes, concat } from "../lib/bytes.ts";
import { CounterOpener, CounterSealer, generateExchangeKey, sharedSecret } from "./seal.ts";
import { browserSessionKeys, deviceSessionKeys, type SessionKeys } from "./session_keys.ts";

const OFFER_HASH = new Uint8Array(32).fill(7);
const LABELS: Readonly<Record<keyof SessionKeys, string>> = {
  answer: "porthole/session/v1/answer",
  fromBrowser: "porthole/session/v1/from-browser",
  fromDevice: "porthole/session/v1/from-device",
  restartFromBrowser: "porthole/session/v1/restart-from-browser",
  restartFromDevice: "porthole/session/v1/restart-from-device",
};
const NAMES = Object.keys(LABELS) as (keyof SessionKeys)[];

async function newKeys() {
  const [browser, device, sealing] = [
    await generateExchangeKey(false),
    await generateExchangeKey(false),
    await generateExchangeKey(false),
  ];
  return { browser, device, sealing };
}

/** The key as PROTOCOL says it, drawn by other code. */
async function keyFrom(secret: Bytes, salt: Bytes, label: string): Promise<CryptoKey> {
  const raw = new Uint8Array(hkdfSync("sha256", secret, salt, label, 16));
  return await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
}

async function opens(by: CryptoKey, sealed: Bytes): Promise<boolean> {
  try {
    await new CounterOpener(by).open(sealed, new Uint8Array());
    return true;
  } catch {
    return false;
  }
}

async function sealedBy(key: CryptoKey): Promise<Bytes> {
  return await new CounterSealer(key).seal(new Uint8Array(5), new Uint8Array());
}

Deno.test("session keys are drawn from both agreements and the offer, as PROTOCOL.md says", async () => {
  const { browser, device, sealing } = await newKeys();
  const secret = concat(
    await sharedSecret(browser, device.publicKey),
    await sharedSecret(browser, sealing.publicKey),
  );
  const ours = await browserSessionKeys(browser, {
    exchangeKey: device.publicKey,
    sealingKey: sealing.publicKey,
    offerHash: OFFER_HASH,
  });
  const theirs = await deviceSessionKeys({ exchange: device, sealing }, {
    exchangeKey: browser.publicKey,
    offerHash: OFFER_HASH,
  });
  for (const name of NAMES) {
    const sealed = await sealedBy(await keyFrom(secret, OFFER_HASH, LABELS[name]));
    assert.ok(await opens(ours[name], sealed), name);
    assert.ok(await opens(theirs[name], sealed), name);
  }
});

Deno.test("session keys differ by purpose, by each key and by the offer", async () => {
  const { browser, device, sealing } = await newKeys();
  const other = await generateExchangeKey(false);
  const base = {
    exchangeKey: device.publicKey,
    sealingKey: sealing.publicKey,
    offerHash: OFFER_HASH,
  };
  const keys = await browserSessionKeys(browser, base);
  const foreign = [
    await browserSessionKeys(other, base),
    await browserSessionKeys(browser, { ...base, exchangeKey: other.publicKey }),
    await browserSessionKeys(browser, { ...base, sealingKey: other.publicKey }),
    await browserSessionKeys(browser, { ...base, offerHash: new Uint8Array(32) }),
  ];
  for (const name of NAMES) {
    const sealed = await sealedBy(keys[name]);
    for (const set of foreign) assert.equal(await opens(set[name], sealed), false, name);
    for (const purpose of NAMES) assert.equal(await opens(keys[purpose], sealed), purpose === name);
  }
});
