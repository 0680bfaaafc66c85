/** What a person does with a live picture: keep it, record it, take it along, make it large. */
import { useRef, useState } from "hono/jsx/dom";
import type { JSX } from "hono/jsx/dom/jsx-runtime";
import { canRecord, type Recording, savePicture, startRecording } from "../picture_file.ts";
import { Glyph, type GlyphName } from "./glyph.tsx";
import { useLasting } from "./hooks.ts";

interface Parts {
  readonly title: string;
  readonly video: { readonly current: HTMLVideoElement | null };
  readonly stream: MediaStream | undefined;
}

export function CameraButtons({ title, video, stream }: Parts): JSX.Element {
  const shows = stream !== undefined;
  return (
    <div class="camera-buttons" role="group" aria-label={title}>
      <Button
        glyph="snapshot"
        label={`Save a picture of ${title}`}
        disabled={!shows}
        act={() => void keepPicture(video.current, title)}
      />
      {canRecord() ? <RecordButton title={title} stream={stream} /> : null}
      {canFloat()
        ? (
          <Button
            glyph="float"
            label={`Show ${title} in a small window above others`}
            disabled={!shows}
            act={() => void float(video.current)}
          />
        )
        : null}
      <Button
        glyph="full"
        label={`Show ${title} on the full screen`}
        act={() => fullScreen(video.current)}
      />
    </div>
  );
}

/** Records what comes from now on, until it is pressed again. A picture that goes away ends it too. */
function RecordButton(
  { title, stream }: { title: string; stream: MediaStream | undefined },
): JSX.Element {
  const [records, set] = useState(false);
  const recording = useRef<Recording | undefined>(undefined);
  useLasting(() => () => recording.current?.stop(), [stream]);
  const toggle = () => {
    if (recording.current !== undefined) return recording.current?.stop();
    if (stream === undefined) return;
    const ended = () => {
      recording.current = undefined;
      set(false);
    };
    try {
      recording.current = startRecording(stream, { title, ended });
      set(true);
    } catch {
      ended(); // a stream that has just ended
    }
  };
  return (
    <Button
      glyph={records ? "stop" : "record"}
      label={records ? `Stop recording ${title} and save it` : `Record ${title} to a file`}
      pressed={records}
      disabled={stream === undefined}
      act={toggle}
    />
  );
}

function Button(
  { glyph, label, act, pressed, disabled = false }: {
    glyph: GlyphName;
    label: string;
    act: () => void;
    pressed?: boolean;
    disabled?: boolean;
  },
): JSX.Element {
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={label}
      title={label}
      disabled={disabled}
      {...(pressed === undefined ? {} : { "aria-pressed": pressed ? "true" : "false" })}
      onClick={act}
    >
      <Glyph name={glyph} />
    </button>
  );
}

async function keepPicture(video: HTMLVideoElement | null, title: string): Promise<void> {
  if (video === null) return;
  try {
    await savePicture(video, title);
  } catch {
    // a picture that cannot be read: the browser has said why
  }
}

function canFloat(): boolean {
  return document.pictureInPictureEnabled === true; // Firefox has a button of its own on the picture
}

async function float(video: HTMLVideoElement | null): Promise<void> {
  try {
    if (document.pictureInPictureElement === video) await document.exitPictureInPicture();
    else await video?.requestPictureInPicture();
  } catch {
    // a refusal needs no words
  }
}

function fullScreen(video: HTMLVideoElement | null): void {
  const phone = video as { webkitEnterFullscreen?: () => void } | null; // iPhones know only this one
  if (video?.requestFullscreen !== undefined) video.requestFullscreen().catch(() => {}); // a refusal needs no words
  else phone?.webkitEnterFullscreen?.();
}
