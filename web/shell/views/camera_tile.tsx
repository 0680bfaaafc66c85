/** One camera: its live picture, or why there is none. While it is on the page, the camera runs. */
import { useRef } from "hono/jsx/dom";
import type { JSX } from "hono/jsx/dom/jsx-runtime";
import type { Named } from "../../../src/protocol/control.ts";
import { CAMERA_OFF, type CameraView } from "../cameras.ts";
import type { Observed } from "../observable.ts";
import { cameraSentence, clockTime } from "../words.ts";
import { CameraButtons } from "./camera_buttons.tsx";
import { FigureCorner, useFigures } from "./camera_figures.tsx";
import { useLasting, useObserved } from "./hooks.ts";
import { Remedy } from "./notice.tsx";

/** What a tile needs of `Cameras`. */
export interface CameraSource {
  readonly views: Observed<ReadonlyMap<string, CameraView>>;
  want(camera: string): () => void;
  /** The browser's statistics of the camera's stream; undefined while there is none. */
  stats(camera: string): Promise<RTCStatsReport> | undefined;
}

export function CameraTile(
  { camera, cameras }: { camera: Named; cameras: CameraSource },
): JSX.Element {
  const view = useObserved(cameras.views).get(camera.id) ?? CAMERA_OFF;
  const video = useRef<HTMLVideoElement>(null);
  const stream = "stream" in view ? view.stream : undefined;
  useLasting(() => cameras.want(camera.id), [cameras, camera.id]);
  useLasting(() => show(video.current, stream), [stream]);
  const figures = useFigures(video, { stream, stats: () => cameras.stats(camera.id) });
  const stalled = view.state === "live" && figures?.stalledAt !== undefined;
  const live = view.state === "live" && !stalled;
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
      {live && figures !== undefined
        ? <FigureCorner title={camera.title} figures={figures} />
        : null}
      <figcaption>
        <span class="camera-title">{camera.title}</span>
        <CameraButtons title={camera.title} video={video} stream={stream} />
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
