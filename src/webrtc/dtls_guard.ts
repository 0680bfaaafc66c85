/**
 * What werift's DTLS server leaves out, and without which a copied certificate is enough to be let
 * in (werift-audit.md 3): the proof that the client has the key, its Finished, and a door that is
 * shut behind it. Pure but for node:crypto. Only the server's side: we are never the client (DESIGN
 * 7).
 */
import { Buffer } from "node:buffer";
import { createHash, createHmac, timingSafeEqual, verify, X509Certificate } from "node:crypto";

const CERTIFICATE_VERIFY = 15;
const FINISHED = 20;
const VERIFY_DATA_BYTES = 12; // RFC 5246 7.4.9
/** Schemes of RFC 5246 7.4.1.4.1 that browsers use: ECDSA and RSA with SHA-256. */
const KEY_TYPES: Readonly<Record<number, string>> = { 0x0403: "ec", 0x0401: "rsa" };

const RECORD_HEADER_BYTES = 13; // RFC 6347 4.1
const ALERT = 21;
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;

/** A handshake message, as werift keeps it (dtls/src/record/message/fragment.ts). */
export interface HandshakeMessage {
  readonly msg_type: number;
  readonly fragment: Uint8Array;
  serialize(): Uint8Array;
}

/** A finished handshake, seen from the server. */
export interface Handshake {
  /** All messages up to the client's Finished, in order. */
  readonly messages: readonly HandshakeMessage[];
  /** DER. */
  readonly certificate: Uint8Array;
  readonly masterSecret: Uint8Array;
  readonly extendedMasterSecret: boolean;
}

/**
 * Throws an Error unless the client holds the key of its certificate (RFC 5246 7.4.8), saw the same
 * handshake as we (7.4.9), and bound the master secret to it (RFC 7627).
 */
export function verifyClient(handshake: Handshake): void {
  const { messages, certificate, masterSecret, extendedMasterSecret } = handshake;
  demand(extendedMasterSecret, "it does not use the extended master secret");
  const proof = messages.findIndex(({ msg_type }) => msg_type === CERTIFICATE_VERIFY);
  const finished = messages.findIndex(({ msg_type }) => msg_type === FINISHED);
  demand(proof >= 0 && finished > proof, "CertificateVerify or Finished is missing");
  verifySignature(messages[proof]!.fragment, transcript(messages.slice(0, proof)), certificate);
  const hash = createHash("sha256").update(transcript(messages.slice(0, finished))).digest();
  const expected = prf(masterSecret, "client finished", hash);
  const found = messages[finished]!.fragment;
  demand(
    found.length === VERIFY_DATA_BYTES && timingSafeEqual(found, expected),
    "Finished does not match the handshake",
  );
}

function demand(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`Cannot accept DTLS client: ${what}`);
}

function transcript(messages: readonly HandshakeMessage[]): Buffer {
  return Buffer.concat(messages.map((message) => message.serialize()));
}

function verifySignature(body: Uint8Array, signed: Buffer, certificate: Uint8Array): void {
  demand(body.length > 4, "CertificateVerify is too short");
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const length = view.getUint16(2);
  demand(body.length === 4 + length, "CertificateVerify has another length");
  const key = new X509Certificate(Buffer.from(certificate)).publicKey;
  demand(key.asymmetricKeyType === KEY_TYPES[view.getUint16(0)], "unexpected signature scheme");
  demand(verify("sha256", signed, key, body.subarray(4)), "its certificate is not its own");
}

/** P_SHA256, cut to the length of verify_data, which is less than one block (RFC 5246 5). */
function prf(secret: Uint8Array, label: string, seed: Uint8Array): Buffer {
  const labelled = Buffer.concat([Buffer.from(label), seed]);
  const a = createHmac("sha256", secret).update(labelled).digest();
  const block = createHmac("sha256", secret).update(a).update(labelled).digest();
  return block.subarray(0, VERIFY_DATA_BYTES);
}

/** A record of a datagram. */
export interface DtlsRecord {
  readonly type: number;
  readonly epoch: number;
  readonly sequenceNumber: number;
  readonly version: { readonly major: number; readonly minor: number };
  readonly fragment: Buffer;
  /** Header and fragment. */
  readonly bytes: Buffer;
}

/**
 * Cuts a datagram into records; what is left behind the last whole one is dropped (RFC 6347
 * 4.1.2.7).
 */
export function records(datagram: Buffer): DtlsRecord[] {
  const found: DtlsRecord[] = [];
  for (let at = 0; at + RECORD_HEADER_BYTES <= datagram.length;) {
    const end = at + RECORD_HEADER_BYTES + datagram.readUInt16BE(at + 11);
    if (end > datagram.length) break;
    found.push({
      type: datagram[at]!,
      version: { major: datagram[at + 1]!, minor: datagram[at + 2]! },
      epoch: datagram.readUInt16BE(at + 3),
      sequenceNumber: datagram.readUIntBE(at + 5, 6),
      fragment: datagram.subarray(at + RECORD_HEADER_BYTES, end),
      bytes: datagram.subarray(at, end),
    });
    at = end;
  }
  return found;
}

/**
 * What of a datagram may reach werift once the handshake is done: encrypted records of known kinds.
 * An alert in clear, or one that `isAuthentic` denies, would end the session on a stranger's word;
 * werift looks at neither.
 */
export function lateRecords(
  datagram: Buffer,
  isAuthentic: (record: DtlsRecord) => boolean,
): Buffer | undefined {
  const kept = records(datagram).filter((record) =>
    record.epoch === 1 &&
    (record.type === APPLICATION_DATA || record.type === HANDSHAKE ||
      (record.type === ALERT && isAuthentic(record)))
  );
  if (kept.length === 0) return undefined;
  return kept.length === 1 ? kept[0]!.bytes : Buffer.concat(kept.map(({ bytes }) => bytes));
}

/**
 * Once connected, a client may only repeat its Finished, when ours was lost. A new hello would
 * replace the keys.
 */
export function lateMessages(messages: HandshakeMessage[]): HandshakeMessage[] {
  return messages.filter(({ msg_type }) => msg_type === FINISHED);
}
