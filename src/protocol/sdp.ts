/**
 * Session descriptions as fields. SDP text never crosses the trust boundary: each end sends the
 * fields below, signed, and the other writes SDP of its own from them (security.md 1.4, "Rebuild
 * SDP").
 */
import { type Bytes, toHex } from "../lib/bytes.ts";
import {
  APPLICATION_MID,
  checkMediaAnswers,
  checkMediaOffers,
  checkTransport,
} from "./sdp_fields.ts";

export { candidateAddressKind, isCandidate, MAX_CANDIDATE_CHARACTERS } from "./candidate.ts";
export { chooseCodec } from "./h264_choice.ts";
export {
  checkMediaAnswers,
  checkMediaOffers,
  checkTransport,
  MAX_MEDIA_SECTIONS,
} from "./sdp_fields.ts";
export { readMedia, readTransport } from "./sdp_read.ts";

/**
 * Everything that the first description needs of one end. Never changes within a session but for an
 * ICE restart.
 */
export interface TransportFields {
  /** RFC 8839 5.4: 4 to 256 ice-char. */
  readonly ufrag: string;
  /** RFC 8839 5.4: 22 to 256 ice-char. */
  readonly pwd: string;
  /** SHA-256 of the end's certificate: 32 bytes. */
  readonly fingerprint: Bytes;
  readonly setup: "actpass" | "active" | "passive";
}

/** A payload type with which the browser would take H.264. */
export interface H264Offer {
  readonly payloadType: number;
  /** Six hexadecimal digits (RFC 6184 8.1). */
  readonly profileLevelId: string;
  readonly packetizationMode: 0 | 1;
  /** Payload type of the retransmissions (RFC 4588), where offered. */
  readonly rtx?: number;
}

/** One receive-only video section of the browser, meant for one camera. */
export interface MediaOffer {
  readonly mid: string;
  /**
   * `null` for a section that no longer carries anything; sections are never removed (RFC 8829
   * 5.2.2).
   */
  readonly camera: string | null;
  readonly codecs: readonly H264Offer[];
  /** Number of the header extension that asks for no delay, where the browser knows it. */
  readonly playoutDelay?: number;
}

/** What the agent sends in that section; `inactive` sections carry nothing. */
export type MediaAnswer =
  | { readonly mid: string; readonly active: false }
  | {
    readonly mid: string;
    readonly active: true;
    readonly codec: H264Offer;
    readonly ssrc: number;
    readonly rtxSsrc?: number;
    readonly cname: string;
    /** As offered, where the agent will use it. */
    readonly playoutDelay?: number;
  };

/** Pictures carry how long they may wait; with 0 at least they are shown as they come (libwebrtc). */
export const PLAYOUT_DELAY_URI = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay";

/**
 * Largest data-channel message that either end takes, in bytes: what Chromium announces. Ours are
 * far smaller (`MESSAGE_BYTES`).
 */
export const MAX_MESSAGE_BYTES = 262_144;

/**
 * Payload type written into a section that carries nothing. It is one of the dynamic ones and means
 * nothing, but a section must name a format (RFC 8866 5.14).
 */
const IDLE_PAYLOAD_TYPE = 96;

/**
 * The offer of the browser, rebuilt for our own WebRTC stack. Media sections follow `application`,
 * in the order of `media`, which is the browser's. Throws a ProtocolError for fields without the
 * right form.
 */
export function offerSdp(
  { transport, media }: {
    readonly transport: TransportFields;
    readonly media: readonly MediaOffer[];
  },
): string {
  checkTransport(transport);
  checkMediaOffers(media);
  return text([
    ...session([APPLICATION_MID, ...media.map(({ mid }) => mid)]),
    ...application(transport),
    ...media.flatMap((offer) => offeredSection(offer, transport)),
  ]);
}

/**
 * The answer of the agent, rebuilt for the browser that offered. `media` has the sections of the
 * offer, in its order. Throws a ProtocolError for fields without the right form.
 */
export function answerSdp(
  { transport, media }: {
    readonly transport: TransportFields;
    readonly media: readonly MediaAnswer[];
  },
): string {
  checkTransport(transport);
  checkMediaAnswers(media);
  return text([
    ...session([APPLICATION_MID, ...media.map(({ mid }) => mid)]),
    ...application(transport),
    ...media.flatMap((answer) => answeredSection(answer, transport)),
  ]);
}

/**
 * The format parameters of a codec (RFC 6184 8.1): the part of an `a=fmtp` line behind the payload
 * type.
 */
export function h264Parameters(codec: H264Offer): string {
  return [
    "level-asymmetry-allowed=1",
    `packetization-mode=${codec.packetizationMode}`,
    `profile-level-id=${codec.profileLevelId.toLowerCase()}`,
  ].join(";");
}

function text(lines: readonly string[]): string {
  return lines.join("\r\n") + "\r\n";
}

function session(mids: readonly string[]): string[] {
  return [
    "v=0",
    "o=- 1 1 IN IP4 0.0.0.0",
    "s=-",
    "t=0 0",
    `a=group:BUNDLE ${mids.join(" ")}`,
  ];
}

function application(transport: TransportFields): string[] {
  return [
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    ...common(APPLICATION_MID, transport),
    "a=sctp-port:5000",
    `a=max-message-size:${MAX_MESSAGE_BYTES}`,
  ];
}

/**
 * What every section says. The bundle has one transport, yet an offer repeats it in each section
 * (RFC 9143 7.1.3).
 */
function common(mid: string, { ufrag, pwd, fingerprint, setup }: TransportFields): string[] {
  const hash = (toHex(fingerprint).toUpperCase().match(/../g) ?? []).join(":");
  return [
    "c=IN IP4 0.0.0.0",
    `a=ice-ufrag:${ufrag}`,
    `a=ice-pwd:${pwd}`,
    "a=ice-options:trickle",
    `a=fingerprint:sha-256 ${hash}`,
    `a=setup:${setup}`,
    `a=mid:${mid}`,
  ];
}

function offeredSection({ mid, camera, codecs }: MediaOffer, transport: TransportFields): string[] {
  return [
    video(payloadTypes(codecs)),
    ...common(mid, transport),
    camera === null ? "a=inactive" : "a=recvonly",
    "a=rtcp-mux",
    "a=rtcp-rsize",
    ...formats(codecs),
  ];
}

function answeredSection(answer: MediaAnswer, transport: TransportFields): string[] {
  const codecs = answer.active ? [answer.codec] : [];
  return [
    video(payloadTypes(codecs)),
    ...common(answer.mid, transport),
    answer.active ? "a=sendonly" : "a=inactive",
    "a=rtcp-mux",
    "a=rtcp-rsize",
    ...(answer.active && answer.playoutDelay !== undefined
      ? [`a=extmap:${answer.playoutDelay} ${PLAYOUT_DELAY_URI}`]
      : []),
    ...formats(codecs),
    ...(answer.active ? sources(answer) : []),
  ];
}

function video(types: readonly number[]): string {
  return `m=video 9 UDP/TLS/RTP/SAVPF ${types.join(" ")}`;
}

function payloadTypes(codecs: readonly H264Offer[]): number[] {
  if (codecs.length === 0) return [IDLE_PAYLOAD_TYPE];
  return codecs.flatMap(({ payloadType, rtx }) =>
    rtx === undefined ? [payloadType] : [payloadType, rtx]
  );
}

/** No congestion feedback: the sender judges the path by reception reports (werift-audit.md 5). */
function formats(codecs: readonly H264Offer[]): string[] {
  if (codecs.length === 0) return [`a=rtpmap:${IDLE_PAYLOAD_TYPE} H264/90000`];
  return codecs.flatMap((codec) => {
    const { payloadType, rtx } = codec;
    return [
      `a=rtpmap:${payloadType} H264/90000`,
      `a=rtcp-fb:${payloadType} nack`,
      `a=rtcp-fb:${payloadType} nack pli`,
      `a=rtcp-fb:${payloadType} ccm fir`,
      `a=fmtp:${payloadType} ${h264Parameters(codec)}`,
      ...(rtx === undefined
        ? []
        : [`a=rtpmap:${rtx} rtx/90000`, `a=fmtp:${rtx} apt=${payloadType}`]),
    ];
  });
}

/** One stream for each section: cameras are not to be kept in step with each other. */
function sources(answer: MediaAnswer & { readonly active: true }): string[] {
  const { mid, ssrc, rtxSsrc, cname } = answer;
  const all = rtxSsrc === undefined ? [ssrc] : [ssrc, rtxSsrc];
  return [
    `a=msid:camera-${mid} video-${mid}`,
    ...(rtxSsrc === undefined ? [] : [`a=ssrc-group:FID ${ssrc} ${rtxSsrc}`]),
    ...all.map((source) => `a=ssrc:${source} cname:${cname}`),
  ];
}
