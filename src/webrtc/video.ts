/**
 * Cameras on their way out: one section of the description, one transceiver of werift and one
 * `RtpStream` each. This file decides what a section carries, and answers what the browser reports:
 * lost packets, lost pictures, how fast the path is. werift negotiates and encrypts.
 */
import type { Buffer } from "node:buffer";
import {
  GenericNack,
  type RTCDtlsTransport,
  type RTCPeerConnection,
  type RtcpPacket,
  RtcpPayloadSpecificFeedback,
  RtcpRrPacket,
  RtcpTransportLayerFeedback,
  RTCRtpCodecParameters,
  type RTCRtpTransceiver,
  type RtpHeader,
} from "werift";
import { PacedFrames } from "./paced_frames.ts";
import { ntpTime, type Report, RtpStream, type RtpWire, type VideoFrame } from "./rtp_stream.ts";
import { SendRate } from "./send_rate.ts";

/** RFC 5104 4.3.1: feedback message type of Full Intra Request, which werift reads and ignores. */
const FULL_INTRA_REQUEST = 4;
/** RFC 4585 6.3.1: feedback message type of Picture Loss Indication. */
const PICTURE_LOSS = 1;
/** Between two sender reports, in ms (RFC 3550 6.2: a second or some, since sessions are small). */
const REPORT_MS = 1000;
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
  /** Number of the header extension that asks for no delay, where the browser knows it. */
  readonly playoutDelay?: number;
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

  /**
   * Sends the frame as fast as the path takes it; drops it while the section is inactive or not
   * connected, and when it would be late.
   */
  sendFrame(frame: VideoFrame): void {
    this.#section.send(frame);
  }

  /** Frames that were left out because the viewer's path is too slow for them. */
  get droppedFrames(): number {
    return this.#section.droppedFrames;
  }
}

/** The fields of a reception report that are used here. */
interface ReceptionReport {
  /** In 1/256. */
  readonly fractionLost: number;
  /** Middle 32 bits of our report's NTP time; 0 if none has come. */
  readonly lsr: number;
  /** In 1/65536 s. */
  readonly dlsr: number;
}

/** Browsers report about once a second; more often is nothing new. */
const LEAST_REPORT_MS = 300;
/** A round trip above this is a clock that was set meanwhile. */
const MAX_ROUND_TRIP_MS = 10_000;

/** One video section of a connection, from the first answer to the end. */
class Section {
  readonly transceiver: RTCRtpTransceiver;
  readonly stream: RtpStream;
  readonly cname: string;
  codec: SectionCodec;
  active = false;
  readonly #frames = new PacedFrames();
  readonly #rate = new SendRate();
  #pace: ReturnType<typeof setTimeout> | undefined;
  #reported = { at: 0, bytes: 0 };

  constructor(
    transceiver: RTCRtpTransceiver,
    { codec, cname, wire }: {
      readonly codec: SectionCodec;
      readonly cname: string;
      readonly wire: RtpWire;
    },
  ) {
    this.transceiver = transceiver;
    this.codec = codec;
    this.cname = cname;
    const { ssrc, rtxSsrc } = transceiver.sender;
    this.stream = new RtpStream({ ssrc, rtxSsrc, cname, wire });
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
  }

  get droppedFrames(): number {
    return this.#frames.dropped;
  }

  send(frame: VideoFrame): void {
    if (!this.active) return;
    this.#frames.push(frame, this.#rate.value);
    if (this.#pace === undefined) this.#release();
  }

  /** What the browser says of our packets (RFC 3550 6.4.1): 24 bits of loss, its time of our report. */
  heard({ fractionLost, lsr, dlsr }: ReceptionReport): void {
    const now = performance.now();
    const passed = now - this.#reported.at;
    const bytes = this.stream.sentBytes;
    if (passed < LEAST_REPORT_MS) return; // a stranger's: each may count once in a while
    const sentRate = ((bytes - this.#reported.bytes) >>> 0) * 8000 / passed;
    this.#reported = { at: now, bytes };
    const middle = Number((ntpTime(Date.now()) >> 16n) & 0xffff_ffffn);
    const roundTripMs = lsr === 0 ? undefined : ((middle - lsr - dlsr) >>> 0) / 65.536;
    const sane = roundTripMs !== undefined && roundTripMs < MAX_ROUND_TRIP_MS;
    this.#rate.report({
      lost: fractionLost / 256,
      roundTripMs: sane ? roundTripMs : undefined,
      sentRate,
    });
  }

  /** Sends no more. */
  stop(): void {
    clearTimeout(this.#pace);
    this.active = false;
  }

  #release(): void {
    this.#pace = undefined;
    const rate = this.#rate.value;
    const now = performance.now();
    for (const part of this.#frames.take(now, rate)) {
      if (this.active) this.stream.send(now, part, this.codec);
    }
    const wait = this.#frames.wait(rate);
    if (wait !== undefined) this.#pace = setTimeout(() => this.#release(), wait);
  }

  repeat(lost: readonly number[]): void {
    if (this.active) this.stream.repeat(performance.now(), lost, this.codec);
  }

  report(): void {
    if (this.active) this.stream.report(performance.now(), Date.now());
  }
}

/** What the sections need of the connection. */
export interface SectionsOptions {
  /** The transport that all sections share. */
  readonly transport: RTCDtlsTransport;
  /** Sends an encrypted packet. Must not throw. */
  send(datagram: Uint8Array): void;
  keyFrameWanted(mid: string): void;
}

/** The video sections of one connection. */
export class Sections {
  readonly #connection: RTCPeerConnection;
  readonly #options: SectionsOptions;
  readonly #sections = new Map<string, Section>();
  #reporting: ReturnType<typeof setInterval> | undefined;
  /** Nothing leaves before DTLS has given the keys. */
  readonly #wire: RtpWire = {
    rtp: (header: RtpHeader, payload: Buffer) => {
      const { transport, send } = this.#options;
      if (transport.srtpStarted) send(transport.srtp.encrypt(payload, header));
    },
    rtcp: (report: Report) => {
      if (this.#options.transport.srtpStarted) {
        this.#options.transport.sendRtcp(report).catch(() => {}); // the next one comes soon
      }
    },
  };

  constructor(connection: RTCPeerConnection, options: SectionsOptions) {
    this.#connection = connection;
    this.#options = options;
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
    this.#begin();
    const { cname } = this.#connection;
    this.#sections.set(mid, new Section(transceiver, { codec, cname, wire: this.#wire }));
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

  /** RTP packets of all sections: sent, and sent again because the browser missed them. */
  get counts(): { readonly sent: number; readonly repeated: number } {
    let [sent, repeated] = [0, 0];
    for (const { stream: { counts } } of this.#sections.values()) {
      sent += counts.sent;
      repeated += counts.repeated;
    }
    return { sent, repeated };
  }

  /** Sends no more reports. */
  close(): void {
    clearInterval(this.#reporting);
    for (const section of this.#sections.values()) section.stop();
  }

  #begin(): void {
    if (this.#reporting !== undefined) return;
    this.#options.transport.onRtcp.subscribe((packet) => this.#take(packet));
    this.#reporting = setInterval(() => {
      for (const section of this.#sections.values()) section.report();
    }, REPORT_MS);
  }

  /** What the browser reports about our streams. Authentic, but otherwise a stranger's. */
  #take(packet: RtcpPacket): void {
    const { feedback } = packet as { readonly feedback?: unknown };
    if (packet instanceof RtcpTransportLayerFeedback && feedback instanceof GenericNack) {
      this.#sectionOf(feedback.mediaSourceSsrc)?.[1].repeat(feedback.lost);
    }
    if (packet instanceof RtcpRrPacket) {
      for (const report of packet.reports.slice(0, MAX_SECTIONS)) {
        this.#sectionOf(report.ssrc)?.[1].heard(report);
      }
    }
    if (!(packet instanceof RtcpPayloadSpecificFeedback)) return;
    const wanted = this.#sectionOf(lostPicture(packet));
    if (wanted !== undefined) this.#options.keyFrameWanted(wanted[0]);
  }

  #sectionOf(ssrc: number | undefined): [string, Section] | undefined {
    return [...this.#sections].find(([, { transceiver }]) => transceiver.sender.ssrc === ssrc);
  }
}

/** The stream whose picture was lost, by PLI or FIR. A browser names one at a time. */
function lostPicture({ feedback }: RtcpPayloadSpecificFeedback): number | undefined {
  if (feedback === undefined) return undefined; // of a kind that werift does not read
  if (feedback.count === PICTURE_LOSS && "mediaSsrc" in feedback) return feedback.mediaSsrc;
  if (feedback.count === FULL_INTRA_REQUEST && "fir" in feedback) return feedback.fir[0]?.ssrc;
  return undefined;
}
