/** An RTSP camera as a source: one session a run, by the transport that the camera takes. */
import { type Clock, SYSTEM_CLOCK } from "../clock.ts";
import { H265Encoder } from "../h265_encoder.ts";
import { CameraError, type Source, type UnitSink } from "../source.ts";
import { type CameraTrust, type ClientEnd, playRtsp } from "./client.ts";
import type { VideoCodec } from "./sdp.ts";
import type { Transport } from "./transport.ts";
import { parseRtspUrl, type RtspTarget } from "./url.ts";

/** Cameras redirect once, if at all. */
const MAX_REDIRECTS = 3;

export class RtspSource implements Source {
  readonly #target: RtspTarget;
  #transport: Transport;
  readonly #trust: CameraTrust | undefined;
  readonly #clock: Clock;

  /** `transport` is what is asked for first; `trust` is for rtsps. */
  constructor(
    target: RtspTarget,
    options: { transport: Transport; trust?: CameraTrust | undefined; clock?: Clock },
  ) {
    this.#target = target;
    this.#trust = options.trust;
    this.#transport = options.transport;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
  }

  async run(sink: UnitSink, signal: AbortSignal): Promise<void> {
    let target = this.#target;
    let redirects = 0;
    let refusals = 0;
    for (;;) {
      const end = await this.#play(target, sink, signal);
      if (end.type === "aborted") return;
      if (end.type === "error") throw end.error;
      if (end.type === "redirect") {
        if (++redirects > MAX_REDIRECTS) throw refusal("it redirects in a circle");
        target = follow(target, end.url);
      } else {
        if (++refusals > 1) throw refusal("it takes neither TCP nor UDP");
        this.#transport = this.#transport === "tcp" ? "udp" : "tcp";
      }
    }
  }

  /** One session; beside it, where the codec needs one, an encoder that ends with it. */
  async #play(target: RtspTarget, sink: UnitSink, signal: AbortSignal): Promise<ClientEnd> {
    const stop = new AbortController();
    const onAbort = () => stop.abort();
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    let failure: CameraError | undefined;
    let encoding: Promise<void> = Promise.resolve();
    const sinkFor = (codec: VideoCodec): UnitSink => {
      if (codec === "h264") return sink;
      const encoder = new H265Encoder({ clock: this.#clock, sink });
      encoding = encoder.run(stop.signal).then((error) => {
        if (!stop.signal.aborted) failure = error;
        stop.abort();
      });
      return encoder;
    };
    const [transport, trust, clock] = [this.#transport, this.#trust, this.#clock];
    const options = { target, trust, transport, clock, sinkFor, signal: stop.signal };
    const end = await playRtsp(options);
    stop.abort();
    await encoding;
    signal.removeEventListener("abort", onAbort);
    return failure === undefined || signal.aborted ? end : { type: "error", error: failure };
  }
}

/**
 * The place that the camera names, on the same host only: the credentials are the host's, and a
 * camera shall not point the board at others of its network.
 */
function follow(from: RtspTarget, url: string): RtspTarget {
  const to = readPlace(url);
  if (to.host !== from.host || (from.secure && !to.secure)) {
    throw refusal("it redirects to another host: write that one as the camera's address");
  }
  return { ...to, ...(from.credentials === undefined ? {} : { credentials: from.credentials }) };
}

function readPlace(url: string): RtspTarget {
  try {
    const { credentials: _, ...place } = parseRtspUrl(url);
    return place;
  } catch (cause) {
    throw new CameraError("broken", "Cannot follow camera: it names no place", { cause });
  }
}

function refusal(reason: string): CameraError {
  return new CameraError("unsupported", `Cannot start video: ${reason}`);
}
