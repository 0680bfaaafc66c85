/**
 * M1, the offer: signed by the browser, sealed to the device (security.md 1.4).
 *
 *     byte   0       1 .. 4        5 .. 20   21 .. 52   53 ..
 *            type    key epoch     tag       enc        sealed, padded COSE_Sign1 "offer"
 *
 * The payload names the device, its sealing key and `enc` through `binding`: an offer opened by one device cannot be
 * sealed anew to another. The epoch stands in clear so that the device opens once, with the right key; the tag
 * (`pass.ts`) so that it knows its people's offers from a stranger's before it opens any.
 */
import { type Bytes, concat, equalBytes, utf8 } from "../lib/bytes.ts";
import type { TransportFields } from "../protocol/sdp.ts";
import { MAX_CHAIN_LINKS } from "./chain.ts";
import { CLAIM_PROOF_BYTES } from "./claim_proof.ts";
import { decodeEnvelope, signEnvelope, verifyEnvelope } from "./cose.ts";
import { randomBytes, sha256 } from "./digest.ts";
import { PUBLIC_KEY_BYTES, type Signer } from "./ed25519.ts";
import { HandshakeError, refuseAs } from "./handshake_error.ts";
import { isLabel, MAX_LABEL_BYTES } from "./label.ts";
import { MESSAGE, SESSION_ID_BYTES, TEXT_SIZES } from "./message.ts";
import { pad, unpad } from "./padding.ts";
import { PASS_TAG_BYTES } from "./pass.ts";
import { BOOT_NONCE_BYTES } from "./presence.ts";
import { type ExchangeKey, openSealed, sealTo, TAG_BYTES, X25519_BYTES } from "./seal.ts";
import {
  CborError,
  type CborMap,
  type CborValue,
  decodeCbor,
  encodeCbor,
  type MapReader,
  readBytes,
  readList,
  readMap,
  readUint,
} from "./strict_cbor.ts";
import { MAX_TIME, MAX_TOKEN_BYTES } from "./token.ts";
import { encodeTransport, readCandidates, readTransport } from "./transport_fields.ts";

/** A claim on its way to the device. */
export interface OfferedClaim {
  readonly token: Bytes;
  readonly proof: Bytes;
}

/** What the browser says. */
export interface Offer {
  readonly sessionId: Bytes;
  readonly browserPublicKey: Bytes;
  /** `eB`, X25519, of this session only. */
  readonly exchangeKey: Bytes;
  readonly bootNonce: Bytes;
  /** Versions of the handshake that the browser speaks. */
  readonly versions: readonly number[];
  readonly transport: TransportFields;
  readonly candidates: readonly string[];
  readonly label: string;
  /** A claim or grants, or neither: an owner has nothing to show. */
  readonly claim?: OfferedClaim;
  /** A chain (`chain.ts`): 1 to 3 tokens. Nothing of it is believed yet, not even its form. */
  readonly grants?: readonly Bytes[];
  /** Unix seconds by the browser's clock. */
  readonly time: number;
}

/** An offer in both forms: the answer is bound to both. */
export interface OfferMessage {
  /** Number of the sealing key that it is sealed to. */
  readonly epoch: number;
  /** What travels. */
  readonly wire: Bytes;
  /** The signed object inside. */
  readonly text: Bytes;
}

/** The device as an offer addresses it. */
export interface OfferTarget {
  /** Device id, 16 bytes. */
  readonly device: Bytes;
  readonly sealingKey: Bytes;
  readonly epoch: number;
}

/** A sealing key of the device, with its number. */
export interface SealingKey extends ExchangeKey {
  readonly epoch: number;
}

const TAG_OFFSET = 1 + 4;
const HEADER_BYTES = TAG_OFFSET + PASS_TAG_BYTES + X25519_BYTES;
const WIRE_SIZES = TEXT_SIZES.map((size) => HEADER_BYTES + size + TAG_BYTES);
const MAX_TEXT_BYTES = TEXT_SIZES.at(-1)!; // the list is not empty
const MAX_VERSIONS = 8;
const PAYLOAD_VERSION = 1;

const KEY = {
  version: 0,
  session: 1,
  browser: 2,
  exchange: 3,
  bootNonce: 4,
  versions: 5,
  binding: 6,
  transport: 7,
  candidates: 8,
  label: 9,
  claim: 10,
  grants: 11,
  time: 12,
} as const;
const { claim: _claim, grants: _grants, ...REQUIRED } = KEY;
const LAYOUT = { required: Object.values(REQUIRED), optional: [KEY.claim, KEY.grants] };
const CLAIM_KEY = { token: 0, proof: 1 } as const;
const CLAIM_LAYOUT = { required: Object.values(CLAIM_KEY) };

/**
 * Signs and seals an offer, marked with a tag: random for a browser that has no pass. Throws a RangeError if the
 * candidates make it larger than 4 KiB.
 */
export async function sealOffer(
  offer: Offer,
  to: OfferTarget & { readonly browser: Signer; readonly tag?: Bytes },
): Promise<OfferMessage> {
  const sealing = await sealTo(to.sealingKey, offerInfo(to));
  const payload = encodeCbor(offerMap(offer, await offerBinding(to, sealing.enc)));
  const text = await signEnvelope("offer", payload, to.browser);
  const tag = to.tag ?? randomBytes(PASS_TAG_BYTES);
  const header = concat(new Uint8Array([MESSAGE.offer]), uint32(to.epoch), tag, sealing.enc);
  const sealed = await sealing.seal(pad(text, TEXT_SIZES), header);
  return { epoch: to.epoch, wire: concat(header, sealed), text };
}

/** The tag of an offer, to be looked up before it is opened; undefined for what cannot be an offer. */
export function offerTag(wire: Bytes): Bytes | undefined {
  return hasForm(wire) ? wire.slice(TAG_OFFSET, TAG_OFFSET + PASS_TAG_BYTES) : undefined;
}

function hasForm(wire: Bytes): boolean {
  return WIRE_SIZES.includes(wire.length) && wire[0] === MESSAGE.offer;
}

/** Opens an offer and verifies its one signature. Rejects with a HandshakeError. */
export async function openOffer(
  wire: Bytes,
  own: { readonly device: Bytes; readonly sealing: readonly SealingKey[] },
): Promise<Offer & OfferMessage> {
  if (!hasForm(wire)) {
    throw new HandshakeError("malformed", "Cannot accept offer: foreign size or type");
  }
  const epoch = new DataView(wire.buffer, wire.byteOffset).getUint32(1);
  const key = own.sealing.find((candidate) => candidate.epoch === epoch);
  if (key === undefined) {
    throw new HandshakeError("stale", "Cannot accept offer: sealed to a key that is gone");
  }
  const to = { device: own.device, sealingKey: key.publicKey, epoch };
  const header = wire.slice(0, HEADER_BYTES);
  const enc = header.slice(-X25519_BYTES);
  return await refuseAs("malformed", "offer", async () => {
    const sealed = wire.slice(HEADER_BYTES);
    const padded = await openSealed(key, { enc, info: offerInfo(to), additional: header, sealed });
    const text = unpad(padded, TEXT_SIZES);
    return { epoch, wire, text, ...await readOffer(text, await offerBinding(to, enc)) };
  });
}

async function readOffer(text: Bytes, binding: Bytes): Promise<Offer> {
  const envelope = decodeEnvelope(text, MAX_TEXT_BYTES);
  const map = readMap(decodeCbor(envelope.payload, MAX_TEXT_BYTES), LAYOUT);
  map.expect(KEY.version, PAYLOAD_VERSION);
  const offer = readFields(map);
  await refuseAs("bad_signature", "offer", async () => {
    if (!equalBytes(map.bytes(KEY.binding, binding.length), binding)) {
      throw new TypeError("Cannot accept offer: made for another device, key or seal");
    }
    await verifyEnvelope("offer", envelope, offer.browserPublicKey);
  });
  return offer;
}

function readFields(map: MapReader): Offer {
  const label = map.text(KEY.label, MAX_LABEL_BYTES);
  if (!isLabel(label)) throw new CborError("Cannot read offer: foreign character in label");
  const versions = map.list(KEY.versions, MAX_VERSIONS);
  if (map.has(KEY.claim) && map.has(KEY.grants)) {
    throw new CborError("Cannot read offer: a claim and grants at once");
  }
  return {
    sessionId: map.bytes(KEY.session, SESSION_ID_BYTES),
    browserPublicKey: map.bytes(KEY.browser, PUBLIC_KEY_BYTES),
    exchangeKey: map.bytes(KEY.exchange, X25519_BYTES),
    bootNonce: map.bytes(KEY.bootNonce, BOOT_NONCE_BYTES),
    versions: versions.map((version) => readUint(version, 255)),
    transport: readTransport(map.value(KEY.transport)),
    candidates: readCandidates(map.value(KEY.candidates)),
    label,
    claim: map.has(KEY.claim) ? readOfferedClaim(map.value(KEY.claim)) : undefined,
    grants: map.has(KEY.grants) ? readOfferedGrants(map.value(KEY.grants)) : undefined,
    time: map.uint(KEY.time, MAX_TIME),
  };
}

function readOfferedClaim(value: CborValue | undefined): OfferedClaim {
  const map = readMap(value, CLAIM_LAYOUT);
  return {
    token: map.bytesUpTo(CLAIM_KEY.token, MAX_TOKEN_BYTES),
    proof: map.bytes(CLAIM_KEY.proof, CLAIM_PROOF_BYTES),
  };
}

function readOfferedGrants(value: CborValue | undefined): readonly Bytes[] {
  const tokens = readList(value, MAX_CHAIN_LINKS);
  if (tokens.length === 0) throw new CborError("Cannot read offer: an empty chain");
  return tokens.map((token) => readBytes(token, { max: MAX_TOKEN_BYTES }));
}

function offerMap(offer: Offer, binding: Bytes): CborMap {
  const map = new Map<number, CborValue>([
    [KEY.version, PAYLOAD_VERSION],
    [KEY.session, offer.sessionId],
    [KEY.browser, offer.browserPublicKey],
    [KEY.exchange, offer.exchangeKey],
    [KEY.bootNonce, offer.bootNonce],
    [KEY.versions, offer.versions],
    [KEY.binding, binding],
    [KEY.transport, encodeTransport(offer.transport)],
    [KEY.candidates, offer.candidates],
    [KEY.label, offer.label],
    [KEY.time, offer.time],
  ]);
  readCandidates(offer.candidates);
  if (offer.grants !== undefined) map.set(KEY.grants, offer.grants);
  if (offer.claim === undefined) return map;
  const { token, proof } = offer.claim;
  return map.set(KEY.claim, new Map([[CLAIM_KEY.token, token], [CLAIM_KEY.proof, proof]]));
}

function offerInfo(to: OfferTarget): Bytes {
  return concat(utf8("porthole/offer/v1"), to.device, uint32(to.epoch));
}

/** Hash over dev, K and enc, all of fixed length. */
async function offerBinding(to: OfferTarget, enc: Bytes): Promise<Bytes> {
  return await sha256(utf8("porthole/offer-binding/v1"), to.device, to.sealingKey, enc);
}

function uint32(value: number): Bytes {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}
