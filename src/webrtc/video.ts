/**
 * Cameras on their way out: one section of the description, one sender of werift each. werift
 * encrypts, keeps packets for NACK and answers with RTX (128 packets deep); this file decides what
 * a section carries and numbers the packets.
 *
 * Left out: pacing, our own sender reports (werift's NTP fraction is wrong, werift-audit.md 5; one
 * picture alone does not need it), congestion control, header extensions.
 */
import { Buffer } from "node:buffer";
import { randomInt } from "node:crypto";
import {
  type RTCPeerConnection,
  RtcpPayloadSpecificFeedback,
  RTCRtpCodecParameters,
  type RTCRtpTransceiver,
  RtpHeader,
  RtpPacket,
} from "werift";

/** RFC 5104 4.3.1: feedback message type of Full Intra Request, which werift reads and ignores. */
const FULL_INTRA_REQUEST = 4;
/**
 * RFC 3711 3.3.1: a first sequence number in the lower half keeps the rollover counter of both ends
 * alike.
 */
const FIRST_SEQUENCE_LIMIT = 0x8000;
/**
 * Sections that were ever prepared on one connection (protocol/sdp_fields.ts has the same bound).
 */
const MAX_SECTIONS = 16;

/** How a section is to carry H.264. */
export interface SectionCodec {
  readonly payloadType: number;
  readonly rtx?: number;
  /** Parameters behind `a=fmtp:<type>`. */
  readonly fmtp: string;
}

/** An access unit, cut into RTP payloads (RFC 6184 5). */
export interface VideoFrame {
  readonly payloads: readonly Uint8Array[];
  /** 90 kHz, unsigned 32 bits. */
  readonly timestamp: number;
  readonly keyFrame: boolean;
}

/** Codecs that werift may find in an offer; the payload types come from the offer itself. */
export function videoCodecs(): RTCRtpCodecParameters[] {
  return h264Codecs({ payloadType: 96, rtx: 97, fmtp: "" });
}

function h264Codecs({ payloadType, rtx, fmtp }: SectionCodec): RTCRtpCodecParameters[] {
  const codec = new RTCRtpCodecParameters({
    mimeType: "video/H264",
    clockRate: 90_000,
    payloadType,
    parameters: fmtp,
    rtcpFeedback: [{ type: "nack" }, { type: "nack", parameter: "pli" }, {
      type: "ccm",
      parameter: "fir",
    }],
  });
  if (rtx === undefined) return [codec];
  return [
    codec,
    new RTCRtpCodecParameters({
      mimeType: "video/rtx",
      clockRate: 90_000,
      payloadType: rtx,
      parameters: `apt=${payloadType}`,
    }),
  ];
}

/** Sends one camera to one browser. Sequence numbers have no gaps, whatever the source does. */
export class VideoSender {
  readonly ssrc: number;
  readonly rtxSsrc?: number;
  readonly cname: string;
  readonly #section: Section;

  constructor(section: Section) {
    this.#section = section;
    this.ssrc = section.transceiver.sender.ssrc;
    if (section.codec.rtx !== undefined) this.rtxSsrc = section.transceiver.sender.rtxSsrc;
    this.cname = section.cname;
  }

  /** Sends the frame at once; drops it while the section is inactive or not connected. */
  sendFrame(frame: VideoFrame): void {
    this.#section.send(frame);
  }
}

/** One video section of a connection, from the first answer to the end. */
class Section {
  readonly transceiver: RTCRtpTransceiver;
  readonly cname: string;
  codec: SectionCodec;
  active = false;
  #sequence = randomInt(FIRST_SEQUENCE_LIMIT);

  constructor(transceiver: RTCRtpTransceiver, codec: SectionCodec, cname: string) {
    this.transceiver = transceiver;
    this.codec = codec;
    this.cname = cname;
  }

  /**
   * Makes the codec of this end the one of the section: werift takes the first H.264 that the offer
   * names.
   */
  apply(): void {
    const { transceiver } = this;
    const inactive = transceiver.offerDirection !== "sendonly" || transceiver.stopped ||
      transceiver.mid === null;
    this.active = !inactive;
    if (inactive) return;
    transceiver.codecs = h264Codecs(this.codec);
    transceiver.headerExtensions = [];
    transceiver.sender.prepareSend({
      codecs: transceiver.codecs,
      headerExtensions: [],
      muxId: transceiver.mid!,
      rtcp: { cname: this.cname, ssrc: transceiver.sender.ssrc, mux: true },
    });
  }

  send({ payloads, timestamp }: VideoFrame): void {
    if (!this.active) return;
    const last = payloads.length - 1;
    payloads.forEach((payload, index) => {
      const header = new RtpHeader({
        payloadType: this.codec.payloadType,
        sequenceNumber: this.#sequence,
        timestamp,
        ssrc: this.transceiver.sender.ssrc,
        marker: index === last, // RFC 6184 5.1: end of the access unit
      });
      this.#sequence = (this.#sequence + 1) & 0xffff;
      const body = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
      // Encrypts and sends in this call; the promise is about what werift counts afterwards.
      this.transceiver.sender.sendRtp(new RtpPacket(header, body)).catch(() => {});
    });
  }
}

/** The video sections of one connection. */
export class Sections {
  readonly #connection: RTCPeerConnection;
  readonly #keyFrameWanted: (mid: string) => void;
  readonly #sections = new Map<string, Section>();
  #watching = false;

  constructor(connection: RTCPeerConnection, keyFrameWanted: (mid: string) => void) {
    this.#connection = connection;
    this.#keyFrameWanted = keyFrameWanted;
  }

  /**
   * Says what a section will carry when it is next answered. Throws an Error when there are too
   * many.
   */
  prepare(mid: string, codec: SectionCodec): void {
    const known = this.#sections.get(mid);
    if (known !== undefined) {
      known.codec = codec;
      return;
    }
    if (this.#sections.size === MAX_SECTIONS) {
      throw new Error("Cannot prepare video section: there are too many");
    }
    const transceiver = this.#transceiverFor(mid);
    transceiver.sender.onPictureLossIndication.subscribe(() => this.#keyFrameWanted(mid));
    this.#watchFullIntraRequests();
    this.#sections.set(mid, new Section(transceiver, codec, this.#connection.cname));
  }

  /** After a remote offer was applied: what each section carries from now on. */
  apply(): void {
    for (const section of this.#sections.values()) section.apply();
  }

  /** The sender of a section that carries a camera. */
  sender(mid: string): VideoSender | undefined {
    const section = this.#sections.get(mid);
    return section?.active ? new VideoSender(section) : undefined;
  }

  /**
   * A transceiver with the tag already set, so that werift finds it by that and not by position.
   */
  #transceiverFor(mid: string): RTCRtpTransceiver {
    const known = this.#connection.getTransceivers().find((transceiver) => transceiver.mid === mid);
    if (known !== undefined) {
      known.setDirection("sendonly");
      return known;
    }
    const transceiver = this.#connection.addTransceiver("video", { direction: "sendonly" });
    transceiver.mid = mid;
    return transceiver;
  }

  #watchFullIntraRequests(): void {
    if (this.#watching) return;
    this.#watching = true;
    this.#connection.dtlsTransports[0]?.onRtcp.subscribe((packet) => {
      if (!(packet instanceof RtcpPayloadSpecificFeedback)) return;
      const { feedback } = packet;
      if (feedback.count !== FULL_INTRA_REQUEST || !("fir" in feedback)) return;
      const wanted = new Set(feedback.fir.map(({ ssrc }) => ssrc));
      for (const [mid, { transceiver }] of this.#sections) {
        if (wanted.has(transceiver.sender.ssrc)) this.#keyFrameWanted(mid);
      }
    });
  }
}
