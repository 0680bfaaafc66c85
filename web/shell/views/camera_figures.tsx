/** What is measured of a picture on the screen, and the quiet corner of it that says so. */
import { useState } from "hono/jsx/dom";
import type { JSX } from "hono/jsx/dom/jsx-runtime";
import { FrameRate } from "../frame_rate.ts";
import {
  compareLooks,
  type Look,
  type PictureFigures,
  rateText,
  readLook,
} from "../picture_figures.ts";
import { ScreenDelay } from "../screen_delay.ts";
import { useLasting } from "./hooks.ts";

const FIGURES_EVERY_MS = 1000;
const STALL_MS = 3000; // as long as the session itself waits for a silent device

/** What is on the screen, measured there. */
export interface Figures {
  readonly perSecond: number;
  readonly size: string;
  /** When the last picture was shown, if it is too long ago. Milliseconds since 1970. */
  readonly stalledAt?: number;
  /** Undefined until there have been two looks at the browser's statistics. */
  readonly picture?: PictureFigures;
}

type Video = { readonly current: HTMLVideoElement | null };

/** Counts the pictures that reach the screen; `stats` gives the browser's own counts. */
export function useFigures(
  video: Video,
  { stream, stats }: {
    readonly stream: MediaStream | undefined;
    readonly stats: () => Promise<RTCStatsReport> | undefined;
  },
): Figures | undefined {
  const [figures, set] = useState<Figures | undefined>(undefined);
  useLasting(() => {
    const element = video.current;
    if (element === null || stream === undefined) return set(undefined);
    const meter = new Meter(element, stats);
    let over = false;
    const show = (now: Figures | undefined) => over || set(now); // a look may end after its stream
    const timer = setInterval(() => {
      meter.look().then(show, () => {}); // statistics of a connection that has just ended
    }, FIGURES_EVERY_MS);
    return () => {
      over = true;
      clearInterval(timer);
      meter.stop();
    };
  }, [stream]);
  return figures;
}

/** Everything that is counted of one stream on one element. */
class Meter {
  readonly #video: HTMLVideoElement;
  readonly #stats: () => Promise<RTCStatsReport> | undefined;
  readonly #rate = new FrameRate();
  readonly #delay = new ScreenDelay();
  readonly #stopCounting: () => void;
  #before: Look | undefined;
  /** When a look last saw a new picture. */
  #last: number | undefined;

  constructor(video: HTMLVideoElement, stats: () => Promise<RTCStatsReport> | undefined) {
    this.#video = video;
    this.#stats = stats;
    this.#stopCounting = countFrames(video, (shown, received) => {
      this.#rate.shown(shown);
      this.#delay.shown(received, shown);
    });
  }

  stop(): void {
    this.#stopCounting();
  }

  async look(): Promise<Figures | undefined> {
    const perSecond = this.#rate.perSecond(performance.now());
    if (perSecond > 0 || document.visibilityState === "hidden") this.#last = Date.now();
    const picture = await this.#compare();
    const { videoWidth, videoHeight } = this.#video;
    if (this.#last === undefined || videoWidth === 0) return undefined;
    const stalled = Date.now() - this.#last >= STALL_MS;
    return {
      perSecond,
      size: `${videoWidth} × ${videoHeight}`,
      ...(stalled ? { stalledAt: this.#last } : {}),
      ...(picture === undefined ? {} : { picture }),
    };
  }

  async #compare(): Promise<PictureFigures | undefined> {
    const report = await this.#stats();
    const now = report && readLook(report.values());
    const before = this.#before;
    this.#before = now;
    if (before === undefined || now === undefined) return undefined;
    return compareLooks(before, { now, screenMs: this.#delay.median });
  }
}

function countFrames(
  video: HTMLVideoElement,
  shown: (shown: number, received: number | undefined) => void,
): () => void {
  if (video.requestVideoFrameCallback === undefined) return () => {}; // Firefox < 132
  let handle = video.requestVideoFrameCallback(
    function count(_, { expectedDisplayTime, receiveTime }) {
      shown(expectedDisplayTime, receiveTime);
      handle = video.requestVideoFrameCallback(count);
    },
  );
  return () => video.cancelVideoFrameCallback(handle);
}

/** A corner of the picture: pictures a second, and all the rest when asked for. */
export function FigureCorner(
  { title, figures }: { title: string; figures: Figures },
): JSX.Element {
  const [open, setOpen] = useState(false);
  return (
    <div class="camera-figures">
      <button
        type="button"
        class="figure"
        aria-expanded={open ? "true" : "false"}
        aria-label={`Figures of ${title}: ${shortText(figures)}`}
        onClick={() => setOpen(!open)}
      >
        {shortText(figures)}
      </button>
      {open ? <FigureList figures={figures} /> : null}
    </div>
  );
}

function shortText({ perSecond, picture }: Figures): string {
  const latency = picture?.latencyMs;
  return latency === undefined ? `${perSecond} fps` : `${latency} ms · ${perSecond} fps`;
}

function FigureList({ figures: { size, picture } }: { figures: Figures }): JSX.Element {
  return (
    <dl class="figure-list">
      <dt>Size</dt>
      <dd>{size}</dd>
      {picture === undefined ? null : (
        <>
          <dt>Codec</dt>
          <dd>{picture.codec ?? "–"}</dd>
          <dt>Rate</dt>
          <dd>{rateText(picture.kilobits)}</dd>
          <dt>Loss</dt>
          <dd>{picture.lossPercent} %</dd>
          <dt title="Half a round trip, waiting and decoding. The camera's own delay is not in it.">
            From the device
          </dt>
          <dd>{picture.latencyMs === undefined ? "–" : `${picture.latencyMs} ms`}</dd>
          <dt>Path</dt>
          <dd>
            {picture.path === undefined ? "–" : picture.path === "relay" ? "by a relay" : "direct"}
          </dd>
        </>
      )}
    </dl>
  );
}
