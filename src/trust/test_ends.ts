/** For tests: two ends that can shake hands, and what they say. No part of the product imports it. */
import type { Bytes } from "../lib/bytes.ts";
import type { TransportFields } from "../protocol/sdp.ts";
import { randomBytes } from "./digest.ts";
import { createSigner, generateSigningKey, type Signer } from "./ed25519.ts";
import { BrowserHandshake, DeviceHandshake, type SealingKey } from "./handshake.ts";
import { signPresence } from "./presence.ts";
import { generateExchangeKey } from "./seal.ts";
import { signClaim } from "./token.ts";

export const CANDIDATE = "candidate:842163049 1 udp 1677729535 203.0.113.7 46154 typ srflx raddr " +
  "10.0.0.17 rport 46154 generation 0 ufrag EsAw network-id 1";

/** Transport fields whose fingerprint is made of this byte. */
export function transport(byte: number, setup: TransportFields["setup"]): TransportFields {
  return {
    ufrag: `Ufr${byte}`,
    pwd: `asd88fgpdd777uzjYhagZg+/${byte}`,
    fingerprint: new Uint8Array(32).fill(byte),
    setup,
  };
}

export const BROWSER_TRANSPORT = transport(11, "actpass");
export const DEVICE_TRANSPORT = transport(22, "passive");

export async function newSigner(): Promise<Signer> {
  return await createSigner(await generateSigningKey(false));
}

/** A device that answers handshakes. */
export interface TestDevice {
  readonly signer: Signer;
  readonly sealing: SealingKey;
  readonly bootNonce: Bytes;
}

export async function newDevice(): Promise<TestDevice> {
  const sealing = { ...await generateExchangeKey(false), epoch: 3 };
  return { signer: await newSigner(), sealing, bootNonce: randomBytes(16) };
}

export async function presenceOf(device: TestDevice, minVersion = 1): Promise<Bytes> {
  return await signPresence(device.signer, {
    sealingKey: device.sealing.publicKey,
    epoch: device.sealing.epoch,
    bootNonce: device.bootNonce,
    sequence: 1,
    minVersion,
  });
}

/** A claim and its secret, as a pairing link carries them. */
export async function newClaim(device: TestDevice): Promise<{ secret: Bytes; token: Bytes }> {
  const fields = { id: randomBytes(16), boot: randomBytes(8) };
  return { secret: randomBytes(16), token: await signClaim(device.signer, fields) };
}

export async function startBrowser(
  device: TestDevice,
  given: { browser?: Signer; claim?: { secret: Bytes; token: Bytes }; label?: string } = {},
): Promise<BrowserHandshake> {
  return await BrowserHandshake.start({
    devicePublicKey: device.signer.publicKey,
    presence: await presenceOf(device),
    browser: given.browser ?? await newSigner(),
    claim: given.claim,
    label: given.label ?? "Firefox on Linux",
  });
}

export async function makeOffer(
  browser: BrowserHandshake,
  candidates: readonly string[] = [CANDIDATE],
): Promise<Bytes> {
  return await browser.offer({ transport: BROWSER_TRANSPORT, candidates });
}

export async function receiveOffer(device: TestDevice, offer: Bytes): Promise<DeviceHandshake> {
  const { signer, sealing, bootNonce } = device;
  const own = { device: signer, sealing: [sealing], bootNonces: [bootNonce] };
  return await DeviceHandshake.receive({ offer, ...own });
}

/** Both ends after M2. */
export async function shake(): Promise<{
  device: DeviceHandshake;
  browser: BrowserHandshake;
  offer: Bytes;
  answer: Bytes;
}> {
  const testDevice = await newDevice();
  const browser = await startBrowser(testDevice);
  const offer = await makeOffer(browser);
  const device = await receiveOffer(testDevice, offer);
  const answer = await device.answer(DEVICE_TRANSPORT);
  await browser.acceptAnswer(answer);
  return { device, browser, offer, answer };
}

/** A copy with one bit of one byte changed. */
export function flipped(bytes: Uint8Array, index: number): Bytes {
  const copy = new Uint8Array(bytes);
  copy[index]! ^= 1 << (index % 8);
  return copy;
}

/** Whether the bytes hold this text anywhere. */
export function holdsText(bytes: Bytes, text: string): boolean {
  return new TextDecoder("latin1").decode(bytes).includes(text);
}
