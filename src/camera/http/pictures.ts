/**
 * The JPEG pictures of a camera that speaks HTTP: one after the other from an MJPEG stream, or again
 * and again from the address of a still picture.
 */
import type { IncomingMessage } from "node:http";
import { concat } from "../../lib/bytes.ts";
import { type Clock, sleep } from "../clock.ts";
import { asCameraError, CameraError } from "../source.ts";
import { ask } from "./client.ts";
import { asJpeg, boundaryOf, MAX_PICTURE_BYTES, MultipartReader } from "./multipart.ts";
import type { HttpTarget } from "./url.ts";

/** A stream that gives nothing for longer is tried again. */
export const PICTURE_LIMIT_MS = 15_000;

export interface PicturesOptions {
  readonly target: HttpTarget;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Between two stills. */
  readonly everyMs: number;
  picture(jpeg: Uint8Array): void;
}

/** Gives pictures until the signal aborts; rejects with a CameraError when they end before. */
export async function receivePictures(options: PicturesOptions): Promise<void> {
  const { target, clock, signal, everyMs, picture } = options;
  while (!signal.aborted) {
    const answer = await ask(target, { clock, signal });
    const boundary = boundaryOf(answer.headers["content-type"] ?? "");
    if (boundary !== undefined) return await readStream(answer, { ...options, boundary });
    picture(await readStill(answer));
    await sleep(clock, everyMs, signal);
  }
}

/** One picture, from a still's address or from the start of a stream. */
export async function receiveOne(
  target: HttpTarget,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Uint8Array> {
  const answer = await ask(target, { clock, signal });
  const boundary = boundaryOf(answer.headers["content-type"] ?? "");
  if (boundary === undefined) return await readStill(answer);
  const reader = new MultipartReader(boundary);
  for await (const chunk of answer) {
    const jpeg = reader.push(chunk as Uint8Array).map(asJpeg).find((one) => one !== undefined);
    if (jpeg !== undefined) return jpeg; // leaving the loop destroys the answer
  }
  throw new CameraError("broken", "Cannot read pictures: the stream ended before the first");
}

async function readStream(
  answer: IncomingMessage,
  { boundary, picture, clock, signal }: PicturesOptions & { boundary: string },
): Promise<void> {
  const reader = new MultipartReader(boundary);
  let silent = false;
  const onSilence = () => {
    silent = true;
    answer.destroy();
  };
  let cancel = clock.after(PICTURE_LIMIT_MS, onSilence);
  try {
    for await (const chunk of answer) {
      for (const jpeg of reader.push(chunk as Uint8Array)) {
        cancel();
        cancel = clock.after(PICTURE_LIMIT_MS, onSilence);
        const whole = asJpeg(jpeg); // one that is cut costs itself
        if (whole !== undefined && !signal.aborted) picture(whole);
      }
    }
  } catch (error) {
    if (!silent && !signal.aborted) throw asCameraError(error);
  } finally {
    cancel();
    answer.destroy();
  }
  if (signal.aborted) return;
  const reason = silent ? `nothing for ${PICTURE_LIMIT_MS} ms` : "the stream ended";
  throw new CameraError(silent ? "broken" : "ended", `Cannot read pictures: ${reason}`);
}

async function readStill(answer: IncomingMessage): Promise<Uint8Array> {
  const type = answer.headers["content-type"] ?? "";
  if (!/^\s*image\/jpe?g/i.test(type)) {
    answer.destroy();
    const found = type.replace(/[^A-Za-z0-9/ .+-]/g, "").slice(0, 40) || "nothing it names";
    const remedy = "name the address of its MJPEG stream or of a JPEG picture";
    throw new CameraError("unsupported", `Cannot show camera: it gives ${found}: ${remedy}`);
  }
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer) {
    parts.push(chunk as Uint8Array);
    bytes += (chunk as Uint8Array).length;
    if (bytes > MAX_PICTURE_BYTES) {
      throw new CameraError("broken", "Cannot read pictures: one picture is above the limit");
    }
  }
  const jpeg = asJpeg(concat(...parts));
  if (jpeg === undefined) {
    throw new CameraError("broken", "Cannot read pictures: it is no whole JPEG");
  }
  return jpeg;
}
