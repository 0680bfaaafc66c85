/** For tests: two ends that can shake hands, and what they say. No part of the product imports it. */
import type { Bytes } from "../lib/bytes.ts";
import type { TransportFields } from "../protocol/sdp.ts";
import { randomBytes } from "./digest.ts";
import { createSigner, generateSigningKey, type Signer } from "./ed25519.ts";
import {
  BrowserHandshake,
  type BrowserHandshakeOptions,
  DeviceHandshake,
  type SealingKey,
} from "./handshake.ts";
import {
  BORROW_FRAGMENT,
  decodeInviteLink,
  type InviteLink,
  type InviteTerms,
  type MadeInvite,
  makeInvite,
} from "./invite_link.ts";
import { signPresence } from "./presence.ts";
import type { Scope } from "./scope.ts";
import { generateExchangeKey } from "./seal.ts";
import { signClaim } from "./claim.ts";

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

/** Noon of the first day of 2030, in Unix seconds: what the clocks of tests say. */
export const NOON = 1_893_499_200;

/** A claim and its secret, as a pairing link carries them. */
export async function newClaim(device: TestDevice): Promise<{ secret: Bytes; token: Bytes }> {
  const fields = { id: randomBytes(16), boot: randomBytes(8) };
  return { secret: randomBytes(16), token: await signClaim(device.signer, fields) };
}

export const SCOPE: Scope = { services: [1, 4], cameras: [2], operations: ["view", "operate"] };

/** A day from an hour before `NOON` on, for one guest. */
export async function newInvite(
  device: TestDevice,
  issuer: Signer,
  terms: Partial<InviteTerms> = {},
): Promise<MadeInvite & { readonly link: InviteLink }> {
  const made = await makeInvite({
    devicePublicKey: device.signer.publicKey,
    issuer,
    issuerEpoch: 0,
    scope: SCOPE,
    notBefore: NOON - 3600,
    expires: NOON + 23 * 3600,
    ttl: 24 * 3600,
    uses: 1,
    ...terms,
  });
  return { ...made, link: await decodeInviteLink(made.fragment.slice(BORROW_FRAGMENT.length)) };
}

export async function startBrowser(
  device: TestDevice,
  given: Partial<Omit<BrowserHandshakeOptions, "devicePublicKey" | "presence">> = {},
): Promise<BrowserHandshake> {
  return await BrowserHandshake.start({
    devicePublicKey: device.signer.publicKey,
    presence: await presenceOf(device),
    label: "Firefox on Linux",
    time: NOON,
    ...given,
    browser: given.browser ?? await newSigner(),
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
