/**
 * M2, the answer: signed by the device over the transcript so far, sealed under the keys of the session. A refusal is an
 * answer too, signed and sealed alike and of the same sizes, so that only this browser learns it and nobody can make it.
 *
 *     byte   0       1 .. 32                     33 ..
 *            type    device's session key eD     sealed, padded COSE_Sign1 "answer"
 */
import { type Bytes, concat, equalBytes, utf8 } from "../lib/bytes.ts";
import type { TransportFields } from "../protocol/sdp.ts";
import { decodeEnvelope, signEnvelope, verifyEnvelope } from "./cose.ts";
import { sha256 } from "./digest.ts";
import type { Signer } from "./ed25519.ts";
import {
  HandshakeError,
  REFUSAL_REASONS,
  type RefusalReason,
  refuseAs,
} from "./handshake_error.ts";
import { MESSAGE, SESSION_ID_BYTES, TEXT_SIZES } from "./message.ts";
import type { OfferMessage } from "./offer.ts";
import { pad, unpad } from "./padding.ts";
import { CounterOpener, CounterSealer, TAG_BYTES, X25519_BYTES } from "./seal.ts";
import {
  CborError,
  type CborValue,
  decodeCbor,
  encodeCbor,
  readMap,
  readText,
} from "./strict_cbor.ts";
import { encodeTransport, readTransport } from "./transport_fields.ts";

/** What the device says. */
export type Answer =
  | { readonly kind: "accepted"; readonly version: number; readonly transport: TransportFields }
  | { readonly kind: "refused"; readonly reason: RefusalReason };

/** What an answer belongs to. Both ends must hold the same, or it is not accepted. */
export interface AnswerContext {
  readonly sessionId: Bytes;
  readonly offer: OfferMessage;
  /** `eD`, X25519, of this session only. */
  readonly exchangeKey: Bytes;
  /** Seals the answer of this session and nothing else. */
  readonly key: CryptoKey;
}

const HEADER_BYTES = 1 + X25519_BYTES;
const WIRE_SIZES = TEXT_SIZES.map((size) => HEADER_BYTES + size + TAG_BYTES);
const MAX_TEXT_BYTES = TEXT_SIZES.at(-1)!; // the list is not empty
const MAX_REASON_BYTES = 32;
const PAYLOAD_VERSION = 1;

const KEY = { version: 0, session: 1, transcript: 2, chosen: 3, transport: 4, refusal: 5 } as const;
const HEAD = [KEY.version, KEY.session, KEY.transcript];
const ACCEPTED = { required: [...HEAD, KEY.chosen, KEY.transport] };
const REFUSED = { required: [...HEAD, KEY.refusal] };

/** Signs and seals an answer. */
export async function sealAnswer(
  answer: Answer,
  context: AnswerContext & { readonly device: Signer },
): Promise<Bytes> {
  const payload = new Map<number, CborValue>([
    [KEY.version, PAYLOAD_VERSION],
    [KEY.session, context.sessionId],
    [KEY.transcript, await transcript(context)],
  ]);
  if (answer.kind === "accepted") {
    payload.set(KEY.chosen, answer.version).set(KEY.transport, encodeTransport(answer.transport));
  } else {
    payload.set(KEY.refusal, answer.reason);
  }
  const text = await signEnvelope("answer", encodeCbor(payload), context.device);
  const header = concat(new Uint8Array([MESSAGE.answer]), context.exchangeKey);
  const sealer = new CounterSealer(context.key);
  return concat(header, await sealer.seal(pad(text, TEXT_SIZES), header));
}

/** The device's session key in an answer. Throws a HandshakeError for what cannot be one. */
export function answerExchangeKey(wire: Bytes): Bytes {
  if (!WIRE_SIZES.includes(wire.length) || wire[0] !== MESSAGE.answer) {
    throw new HandshakeError("malformed", "Cannot accept answer: foreign size or type");
  }
  return wire.slice(1, HEADER_BYTES);
}

/** Opens an answer and verifies the device's signature over the transcript. Rejects with a HandshakeError. */
export async function openAnswer(
  wire: Bytes,
  context: AnswerContext & { readonly devicePublicKey: Bytes },
): Promise<Answer> {
  const header = wire.slice(0, HEADER_BYTES);
  const text = await refuseAs("bad_signature", "answer", async () => {
    const opener = new CounterOpener(context.key);
    return unpad(await opener.open(wire.slice(HEADER_BYTES), header), TEXT_SIZES);
  });
  const envelope = await refuseAs(
    "malformed",
    "answer",
    () => decodeEnvelope(text, MAX_TEXT_BYTES),
  );
  await refuseAs(
    "bad_signature",
    "answer",
    () => verifyEnvelope("answer", envelope, context.devicePublicKey),
  );
  return await refuseAs("malformed", "answer", () => readAnswer(envelope.payload, context));
}

async function readAnswer(payload: Bytes, context: AnswerContext): Promise<Answer> {
  const value = decodeCbor(payload, MAX_TEXT_BYTES);
  const isRefusal = value instanceof Map && value.has(KEY.refusal);
  const map = readMap(value, isRefusal ? REFUSED : ACCEPTED);
  map.expect(KEY.version, PAYLOAD_VERSION);
  const expected = await transcript(context);
  const belongs = equalBytes(map.bytes(KEY.session, SESSION_ID_BYTES), context.sessionId) &&
    equalBytes(map.bytes(KEY.transcript, expected.length), expected);
  if (!belongs) {
    throw new HandshakeError("bad_signature", "Cannot accept answer: it belongs to another offer");
  }
  if (isRefusal) return { kind: "refused", reason: readReason(map.value(KEY.refusal)) };
  return {
    kind: "accepted",
    version: map.uint(KEY.chosen, 255),
    transport: readTransport(map.value(KEY.transport)),
  };
}

function readReason(value: CborValue | undefined): RefusalReason {
  const text = readText(value, MAX_REASON_BYTES);
  const reason = REFUSAL_REASONS.find((known) => known === text);
  if (reason === undefined) throw new CborError("Cannot read answer: unknown reason");
  return reason;
}

/**
 * What the device signs beside its own words: the offer as it travelled and as the browser signed it, which holds the
 * browser's key, session key and fingerprint, and the device's session key. Its fingerprint is in the payload.
 */
async function transcript({ offer, exchangeKey }: AnswerContext): Promise<Bytes> {
  const domain = utf8("porthole/answer-transcript/v1");
  return await sha256(domain, await sha256(offer.wire), await sha256(offer.text), exchangeKey);
}
