/** One camera: its live picture, or why there is none. While it is on the page, the camera runs. */
import { useRef, useState } from "hono/jsx/dom";
import type { JSX } from "hono/jsx/dom/jsx-runtime";
import type { Named } from "../../../src/protocol/control.ts";
import { CAMERA_OFF, type CameraView } from "../cameras.ts";
import { FrameRate } from "../frame_rate.ts";
import type { Observed } from "../observable.ts";
import { cameraSentence, clockTime } from "../words.ts";
import { Glyph } from "./glyph.tsx";
import { useLasting, useObserved } from "./hooks.ts";
import { Remedy } from "./notice.tsx";

const FIGURES_EVERY_MS = 1000;
const STALL_MS = 3000; // as long as the session itself waits for a silent device

/** What a tile needs of `Cameras`. */
export interface CameraSource {
  readonly views: Observed<ReadonlyMap<string, CameraView>>;
  want(camera: string): () => void;
}

/** What is on the screen, measured there. */
interface Figures {
  readonly perSecond: number;
  readonly size: string;
  /** When the last picture was shown, if it is too long ago. Milliseconds since 1970. */
  readonly stalledAt?: number;
}

export function CameraTile(
  { camera, cameras }: { camera: Named; cameras: CameraSource },
): JSX.Element {
  const view = useObserved(cameras.views).get(camera.id) ?? CAMERA_OFF;
  const video = useRef<HTMLVideoElement>(null);
  const stream = "stream" in view ? view.stream : undefined;
  useLasting(() => cameras.want(camera.id), [cameras, camera.id]);
  useLasting(() => show(video.current, stream), [stream]);
  const figures = useFigures(video, stream);
  const stalled = view.state === "live" && figures?.stalledAt !== undefined;
  return (
    <figure class={`camera camera-${stalled ? "waiting" : view.state}`}>
      <video
        ref={video}
        data-testid={`camera-${camera.id}`}
        aria-label={`Live picture: ${camera.title}`}
        autoplay
        muted
        playsinline
      >
      </video>
      <Overlay camera={camera} view={view} stalledAt={stalled ? figures.stalledAt : undefined} />
      <figcaption>
        <span class="camera-title">{camera.title}</span>
        {view.state === "live" && !stalled && figures !== undefined
          ? <span class="figure">{figures.size} · {figures.perSecond} fps</span>
          : null}
        <button
          type="button"
          class="icon-button"
          aria-label={`Show ${camera.title} on the full screen`}
          onClick={() => fullScreen(video.current)}
        >
          <Glyph name="full" />
        </button>
      </figcaption>
    </figure>
  );
}

function Overlay(
  { camera, view, stalledAt }: { camera: Named; view: CameraView; stalledAt: number | undefined },
): JSX.Element | null {
  const words = stalledAt === undefined
    ? cameraSentence(camera, view)
    : { what: `No picture since ${clockTime(stalledAt)}.`, remedy: "" };
  if (words === undefined) return null;
  return (
    <div class="camera-words" role="status">
      <p>
        <strong>{words.what}</strong>
      </p>
      {words.remedy === "" ? null : <Remedy text={words.remedy} />}
    </div>
  );
}

function show(video: HTMLVideoElement | null, stream: MediaStream | undefined): void {
  if (video === null) return;
  video.muted = true; // the attribute alone does not count once the element exists
  video.srcObject = stream ?? null;
  if (stream !== undefined) video.play().catch(() => {}); // refused in a hidden tab; `autoplay` starts it later
}

/** Counts the pictures that reach the screen. */
function useFigures(
  video: { readonly current: HTMLVideoElement | null },
  stream: MediaStream | undefined,
): Figures | undefined {
  const [figures, set] = useState<Figures | undefined>(undefined);
  useLasting(() => {
    const element = video.current;
    if (element === null || stream === undefined) return set(undefined);
    const rate = new FrameRate();
    const stop = countFrames(element, rate);
    let last: number | undefined; // Date.now() of the last look that saw a new picture
    const timer = setInterval(() => {
      const perSecond = rate.perSecond(performance.now());
      if (perSecond > 0 || document.visibilityState === "hidden") last = Date.now();
      set(read(element, { perSecond, last }));
    }, FIGURES_EVERY_MS);
    return () => {
      stop();
      clearInterval(timer);
    };
  }, [stream]);
  return figures;
}

function countFrames(video: HTMLVideoElement, rate: FrameRate): () => void {
  if (video.requestVideoFrameCallback === undefined) return () => {}; // Firefox < 132
  let handle = video.requestVideoFrameCallback(function count(now) {
    rate.shown(now);
    handle = video.requestVideoFrameCallback(count);
  });
  return () => video.cancelVideoFrameCallback(handle);
}

function read(
  video: HTMLVideoElement,
  { perSecond, last }: { perSecond: number; last: number | undefined },
): Figures | undefined {
  if (last === undefined || video.videoWidth === 0) return undefined;
  const figures = { perSecond, size: `${video.videoWidth} × ${video.videoHeight}` };
  return Date.now() - last >= STALL_MS ? { ...figures, stalledAt: last } : figures;
}

function fullScreen(video: HTMLVideoElement | null): void {
  const phone = video as { webkitEnterFullscreen?: () => void } | null; // iPhones know only this one
  if (video?.requestFullscreen !== undefined) video.requestFullscreen().catch(() => {}); // a refusal needs no words
  else phone?.webkitEnterFullscreen?.();
}
