/** One RTP stream of a camera: packets in, access units out, reports back. Pure. */
import { Depacketizer, type RtpFormat } from "./depacketizer.ts";
import { Reception } from "./rtcp.ts";
import { parseRtp, type RtpPacket } from "./rtp.ts";
import { REORDER_PACKETS, SequenceWindow } from "./sequence_window.ts";
import type { AccessUnit } from "./source.ts";

export interface ReceiverOptions {
  /** Packets of any other type are ignored. */
  readonly payloadType: number;
  /** Whether the transport keeps the order (TCP). */
  readonly ordered: boolean;
  /** SSRC of our reports. */
  readonly ssrc: number;
  /** How the codec travels. */
  readonly format: RtpFormat;
}

export class MediaReceiver {
  readonly #options: ReceiverOptions;
  #depacketizer: Depacketizer;
  #window: SequenceWindow;
  #sender: { ssrc: number; reception: Reception } | undefined;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#depacketizer = new Depacketizer(options.format);
    this.#window = this.#newWindow();
  }

  /**
   * Takes what may be an RTP packet. Undefined: it is none of this stream. Throws a CameraError
   * `unsupported`.
   */
  receive(now: number, bytes: Uint8Array): AccessUnit[] | undefined {
    const packet = parseRtp(bytes);
    if (packet === undefined || packet.payloadType !== this.#options.payloadType) return undefined;
    this.#senderOf(packet).take(now, packet);
    return this.#window.push(now, packet).flatMap((due) => this.#depacketizer.push(due));
  }

  receiveControl(now: number, bytes: Uint8Array): void {
    this.#sender?.reception.takeControl(now, bytes);
  }

  /** The RTCP packet to send now; undefined before the first packet. */
  report(now: number): Uint8Array | undefined {
    return this.#sender?.reception.receiverReport(now, this.#options.ssrc);
  }

  /** A new SSRC is a sender that started afresh. */
  #senderOf(packet: RtpPacket): Reception {
    if (this.#sender?.ssrc !== packet.ssrc) {
      if (this.#sender !== undefined) this.#depacketizer = new Depacketizer(this.#options.format);
      this.#window = this.#newWindow();
      this.#sender = { ssrc: packet.ssrc, reception: new Reception(packet) };
    }
    return this.#sender.reception;
  }

  #newWindow(): SequenceWindow {
    return new SequenceWindow(this.#options.ordered ? 0 : REORDER_PACKETS);
  }
}
