/**
 * Transport fields and candidates in signed messages. Everything that will stand in a line of SDP is held to the
 * grammar of RFC 8839 here, at both ends, so that nothing a peer sends can end a line or start another.
 */
import { type Bytes, utf8 } from "../lib/bytes.ts";
import type { TransportFields } from "../protocol/sdp.ts";
import {
  CborError,
  type CborMap,
  type CborValue,
  readList,
  readMap,
  readText,
} from "./strict_cbor.ts";

export const FINGERPRINT_BYTES = 32;

/** Longest candidate in bytes. Browsers write about 150; a long host name or extension may follow. */
export const MAX_CANDIDATE_BYTES = 256;

/** Candidates that an offer carries. More can be trickled. */
export const MAX_OFFERED_CANDIDATES = 32;

const KEY = { ufrag: 0, pwd: 1, fingerprint: 2, setup: 3 };
const LAYOUT = { required: Object.values(KEY) };
const SETUPS = ["actpass", "active", "passive"] as const;

const MAX_CREDENTIAL_CHARS = 256; // RFC 8839 5.4
const UFRAG = /^[A-Za-z0-9+/]{4,256}$/;
const PWD = /^[A-Za-z0-9+/]{22,256}$/;

/** RFC 8839 5.1, and RFC 6544 4.5 for the attributes behind; an address may be an mDNS name. */
const CANDIDATE = new RegExp(
  "^candidate:[A-Za-z0-9+/]{1,32} [0-9]{1,3} [A-Za-z0-9-]{1,16} [0-9]{1,10}" + // foundation .. priority
    " [A-Za-z0-9.:%_-]{1,253} [0-9]{1,5} typ [A-Za-z0-9-]{1,16}" + // address, port, type
    "(?: [\\x21-\\x7e]{1,64} [\\x21-\\x7e]{1,253})*$", // raddr, rport and extensions
);

/** The fields as a CBOR map. Throws a CborError if they break the grammar. */
export function encodeTransport(fields: TransportFields): CborMap {
  const map = new Map<number, CborValue>([
    [KEY.ufrag, fields.ufrag],
    [KEY.pwd, fields.pwd],
    [KEY.fingerprint, fields.fingerprint],
    [KEY.setup, SETUPS.indexOf(fields.setup)],
  ]);
  readTransport(map);
  return map;
}

/** Reads what `encodeTransport` writes; throws a CborError for anything else. */
export function readTransport(value: CborValue | undefined): TransportFields {
  const map = readMap(value, LAYOUT);
  const { ufrag, pwd } = checkCredentials({
    ufrag: map.text(KEY.ufrag, MAX_CREDENTIAL_CHARS),
    pwd: map.text(KEY.pwd, MAX_CREDENTIAL_CHARS),
  });
  const fingerprint: Bytes = map.bytes(KEY.fingerprint, FINGERPRINT_BYTES);
  const setup = SETUPS[map.uint(KEY.setup, SETUPS.length - 1)]!; // the bound is the proof
  return { ufrag, pwd, fingerprint, setup };
}

/** Name and password of one end's ICE (RFC 8839 5.4). */
export type IceCredentials = Pick<TransportFields, "ufrag" | "pwd">;

/** Gives the credentials back, or throws a CborError if they could end a line of a description. */
export function checkCredentials({ ufrag, pwd }: IceCredentials): IceCredentials {
  if (!UFRAG.test(ufrag) || !PWD.test(pwd)) {
    throw new CborError("Cannot take transport: not the grammar of RFC 8839");
  }
  return { ufrag, pwd };
}

/** Gives the candidate back, or throws a CborError if it could be anything but one candidate attribute. */
export function checkCandidate(candidate: string): string {
  const fits = candidate.length <= MAX_CANDIDATE_BYTES && CANDIDATE.test(candidate) &&
    utf8(candidate).length <= MAX_CANDIDATE_BYTES;
  if (!fits) throw new CborError("Cannot take candidate: not the grammar of RFC 8839");
  return candidate;
}

/** Reads the list of candidates of an offer. */
export function readCandidates(value: CborValue | undefined): readonly string[] {
  return readList(value, MAX_OFFERED_CANDIDATES).map((entry) =>
    checkCandidate(readText(entry, MAX_CANDIDATE_BYTES))
  );
}
