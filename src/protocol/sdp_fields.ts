/**
 * What a session description may be made of: the rules for each field before it becomes a line of
 * SDP. Whoever signs fields is trusted with their meaning, never with their form: a line break in a
 * user fragment would write lines of its own (security.md 1.4).
 */
import { ProtocolError } from "./errors.ts";
import type { H264Offer, MediaAnswer, MediaOffer, TransportFields } from "./sdp.ts";

/** Sections beside `application`: one per camera that was ever shown in a session. */
export const MAX_MEDIA_SECTIONS = 16;
/** Ways to take H.264 in one section: Chromium 156 offers eight. */
export const MAX_CODECS = 16;
/** Identification tags: browsers count from 0, or use names of a few letters. */
const MAX_MID_CHARACTERS = 16;
/** A canonical name is a UUID (36 characters) or an e-mail-like text (RFC 3550 6.5.1). */
const MAX_CNAME_CHARACTERS = 64;
const FINGERPRINT_BYTES = 32; // SHA-256
const MAX_SSRC = 0xffffffff;

const UFRAG = /^[A-Za-z0-9+/]{4,256}$/; // RFC 8839 5.4
const PWD = /^[A-Za-z0-9+/]{22,256}$/;
const TOKEN = /^[A-Za-z0-9!#$%&'*+\-.^_`{|}~]+$/; // RFC 8866 9
const PROFILE_LEVEL_ID = /^[0-9A-Fa-f]{6}$/; // RFC 6184 8.1
const CNAME = /^[A-Za-z0-9@._{}-]+$/;
const SETUPS: readonly string[] = ["actpass", "active", "passive"];

/** The section of the data channels; it is there from the first description to the last. */
export const APPLICATION_MID = "0";

function demand(condition: boolean, what: string): asserts condition {
  if (!condition) throw new ProtocolError(`Cannot use session description: ${what}`);
}

/** Throws a ProtocolError unless every field has its form. */
export function checkTransport(fields: TransportFields): void {
  demand(typeof fields.ufrag === "string" && UFRAG.test(fields.ufrag), "bad user fragment");
  demand(typeof fields.pwd === "string" && PWD.test(fields.pwd), "bad ICE password");
  demand(
    fields.fingerprint instanceof Uint8Array && fields.fingerprint.length === FINGERPRINT_BYTES,
    "a fingerprint has 32 bytes",
  );
  demand(SETUPS.includes(fields.setup), "unknown setup role");
}

function checkPayloadType(value: number): void {
  // RFC 5761 4: 64 to 95 would look like RTCP; below 35 stand the static types.
  const dynamic = Number.isInteger(value) && value >= 35 && value <= 127 &&
    !(value >= 64 && value <= 95);
  demand(dynamic, "payload type out of range");
}

/** Throws a ProtocolError unless the codec may stand in a description. */
export function checkCodec(codec: H264Offer): void {
  checkPayloadType(codec.payloadType);
  demand(
    typeof codec.profileLevelId === "string" && PROFILE_LEVEL_ID.test(codec.profileLevelId),
    "bad profile-level-id",
  );
  demand(codec.packetizationMode === 0 || codec.packetizationMode === 1, "bad packetisation mode");
  if (codec.rtx === undefined) return;
  checkPayloadType(codec.rtx);
}

/** RFC 8285 4.2: numbers of one-byte headers. */
function checkExtension(number: number | undefined): void {
  if (number === undefined) return;
  demand(Number.isInteger(number) && number >= 1 && number <= 14, "bad header extension");
}

function checkMids(sections: readonly { readonly mid: string }[]): void {
  demand(Array.isArray(sections), "no list of sections");
  demand(sections.length <= MAX_MEDIA_SECTIONS, "too many sections");
  const seen = new Set([APPLICATION_MID]);
  for (const { mid } of sections) {
    demand(typeof mid === "string" && TOKEN.test(mid), "bad section tag");
    demand(mid.length <= MAX_MID_CHARACTERS, "section tag too long");
    demand(!seen.has(mid), "section tag used twice");
    seen.add(mid);
  }
}

/** Throws a ProtocolError unless the sections may be offered together. */
export function checkMediaOffers(offers: readonly MediaOffer[]): void {
  checkMids(offers);
  for (const { camera, codecs, playoutDelay } of offers) {
    checkExtension(playoutDelay);
    demand(camera === null || typeof camera === "string", "bad camera");
    demand(Array.isArray(codecs) && codecs.length <= MAX_CODECS, "too many codecs");
    demand(camera === null || codecs.length > 0, "a section with a camera needs a codec");
    codecs.forEach(checkCodec);
    const types = codecs.flatMap(({ payloadType, rtx }) => rtx ? [payloadType, rtx] : payloadType);
    demand(new Set(types).size === types.length, "payload type used twice");
  }
}

/** Throws a ProtocolError unless the sections may be answered together. */
export function checkMediaAnswers(answers: readonly MediaAnswer[]): void {
  checkMids(answers);
  const sources: number[] = [];
  for (const answer of answers) {
    demand(typeof answer.active === "boolean", "section neither active nor inactive");
    if (!answer.active) continue;
    checkExtension(answer.playoutDelay);
    checkCodec(answer.codec);
    demand(answer.codec.rtx !== answer.codec.payloadType, "payload type used twice");
    demand((answer.codec.rtx === undefined) === (answer.rtxSsrc === undefined), "half an rtx");
    demand(typeof answer.cname === "string" && CNAME.test(answer.cname), "bad canonical name");
    demand(answer.cname.length <= MAX_CNAME_CHARACTERS, "canonical name too long");
    sources.push(answer.ssrc);
    if (answer.rtxSsrc !== undefined) sources.push(answer.rtxSsrc);
  }
  for (const ssrc of sources) {
    demand(Number.isInteger(ssrc) && ssrc > 0 && ssrc <= MAX_SSRC, "bad source number");
  }
  demand(new Set(sources).size === sources.length, "source number used twice");
}
