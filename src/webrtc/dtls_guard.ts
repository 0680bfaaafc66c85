/**
 * What werift's DTLS leaves out, and without which a copied certificate is enough to be let in
 * (werift-audit.md 3): the proof that the other end has the key of its certificate, and that both
 * saw the same handshake. For both roles, though we are the server (DESIGN 7). Pure but for
 * node:crypto.
 */
import { Buffer } from "node:buffer";
import { createHash, createHmac, timingSafeEqual, verify, X509Certificate } from "node:crypto";
import { HANDSHAKE } from "./dtls_handshake.ts";

const VERIFY_DATA_BYTES = 12; // RFC 5246 7.4.9
/** Schemes of RFC 5246 7.4.1.4.1 that browsers use: ECDSA and RSA with SHA-256. */
const KEY_TYPES: Readonly<Record<number, string>> = { 0x0403: "ec", 0x0401: "rsa" };
const NAMED_CURVE = 3; // RFC 8422 5.4

/** A handshake message, as werift keeps it (dtls/src/record/message/fragment.ts). */
export interface TranscriptMessage {
  readonly msg_type: number;
  readonly fragment: Uint8Array;
  serialize(): Uint8Array;
}

/** A finished handshake. */
export interface Handshake {
  /** All messages of both ends up to the client's Finished, in order. */
  readonly messages: readonly TranscriptMessage[];
  /** Of the other end: DER. */
  readonly certificate: Uint8Array;
  readonly masterSecret: Uint8Array;
  readonly extendedMasterSecret: boolean;
}

/** What only a client sees of a handshake. */
export interface ServerHandshake extends Handshake {
  /** Client's and server's, as the hellos have them. */
  readonly randoms: { readonly client: Uint8Array; readonly server: Uint8Array };
  /** Body of the server's Finished, which follows `messages`. */
  readonly finished: Uint8Array;
}

/**
 * Throws an Error unless the client holds the key of its certificate (RFC 5246 7.4.8), saw the same
 * handshake as we (7.4.9), and bound the master secret to it (RFC 7627).
 */
export function verifyClient(handshake: Handshake): void {
  const { messages, certificate, extendedMasterSecret } = handshake;
  demand(extendedMasterSecret, "it does not use the extended master secret");
  const proof = indexOf(messages, HANDSHAKE.CERTIFICATE_VERIFY);
  const finished = indexOf(messages, HANDSHAKE.FINISHED);
  demand(proof >= 0 && finished > proof, "CertificateVerify or Finished is missing");
  const signed = transcript(messages.slice(0, proof));
  verifySignature(messages[proof]!.fragment, { signed, certificate });
  verifyFinished(messages[finished]!.fragment, {
    ...{ label: "client finished", handshake, before: messages.slice(0, finished) },
  });
}

/**
 * Throws an Error unless the server holds the key of its certificate, which signs its part of the
 * key exchange (RFC 8422 5.4), saw the same handshake as we, and bound the master secret to it.
 */
export function verifyServer(handshake: ServerHandshake): void {
  const { messages, certificate, randoms, extendedMasterSecret } = handshake;
  demand(extendedMasterSecret, "it does not use the extended master secret");
  const exchange = messages.find(({ msg_type }) => msg_type === HANDSHAKE.SERVER_KEY_EXCHANGE);
  demand(exchange !== undefined, "ServerKeyExchange is missing");
  const { fragment } = exchange;
  demand(fragment.length > 4 && fragment[0] === NAMED_CURVE, "ServerKeyExchange has no curve");
  const end = 4 + fragment[3]!;
  demand(fragment.length > end, "ServerKeyExchange is too short");
  const signed = Buffer.concat([randoms.client, randoms.server, fragment.subarray(0, end)]);
  verifySignature(fragment.subarray(end), { signed, certificate });
  demand(indexOf(messages, HANDSHAKE.FINISHED) === messages.length - 1, "our Finished is missing");
  verifyFinished(handshake.finished, { label: "server finished", handshake, before: messages });
}

function demand(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`Cannot accept DTLS peer: ${what}`);
}

function indexOf(messages: readonly TranscriptMessage[], type: number): number {
  return messages.findIndex(({ msg_type }) => msg_type === type);
}

function transcript(messages: readonly TranscriptMessage[]): Buffer {
  return Buffer.concat(messages.map((message) => message.serialize()));
}

/** A scheme, a length and a signature (RFC 5246 4.7). */
function verifySignature(
  body: Uint8Array,
  { signed, certificate }: { readonly signed: Buffer; readonly certificate: Uint8Array },
): void {
  demand(body.length > 4, "its signature is too short");
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  demand(body.length === 4 + view.getUint16(2), "its signature has another length");
  const key = new X509Certificate(Buffer.from(certificate)).publicKey;
  demand(key.asymmetricKeyType === KEY_TYPES[view.getUint16(0)], "unexpected signature scheme");
  demand(verify("sha256", signed, key, body.subarray(4)), "its certificate is not its own");
}

function verifyFinished(
  found: Uint8Array,
  { label, handshake, before }: {
    readonly label: string;
    readonly handshake: Handshake;
    readonly before: readonly TranscriptMessage[];
  },
): void {
  const hash = createHash("sha256").update(transcript(before)).digest();
  const expected = prf(handshake.masterSecret, label, hash);
  demand(
    found.length === VERIFY_DATA_BYTES && timingSafeEqual(found, expected),
    "Finished does not match the handshake",
  );
}

/** P_SHA256, cut to the length of verify_data, which is less than one block (RFC 5246 5). */
function prf(secret: Uint8Array, label: string, seed: Uint8Array): Buffer {
  const labelled = Buffer.concat([Buffer.from(label), seed]);
  const a = createHmac("sha256", secret).update(labelled).digest();
  const block = createHmac("sha256", secret).update(a).update(labelled).digest();
  return block.subarray(0, VERIFY_DATA_BYTES);
}
