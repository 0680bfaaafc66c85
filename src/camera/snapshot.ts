/**
 * One JPEG of what a camera shows now: the camera's own where it has pictures, else by ffmpeg from
 * the frames kept since the last key frame, the newest of them.
 */
import { concat } from "../lib/bytes.ts";
import type { Clock } from "./clock.ts";
import { Depacketizer } from "./depacketizer.ts";
import { FFMPEG_START } from "./ffmpeg.ts";
import type { VideoFrame } from "./frame_preparer.ts";
import { asJpeg, MAX_PICTURE_BYTES } from "./http/multipart.ts";
import { Program, ProgramMissing } from "./program.ts";
import { type AccessUnit, CameraError } from "./source.ts";

const START_CODE = Uint8Array.of(0, 0, 0, 1);

export interface SnapshotOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** `ffmpeg` unless told. */
  readonly program?: string;
}

/**
 * The last of these frames, of which the first is a key frame, as JPEG. Rejects with a CameraError:
 * `unsupported` where ffmpeg is missing, `broken` where the frames cannot be decoded.
 */
export async function jpegOf(
  frames: readonly VideoFrame[],
  { clock, signal, program = "ffmpeg" }: SnapshotOptions,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  const reader = {
    push(_now: number, chunk: Uint8Array): readonly AccessUnit[] {
      bytes += chunk.length;
      if (bytes > MAX_PICTURE_BYTES) throw broken("the picture is above the limit");
      parts.push(chunk);
      return [];
    },
  };
  const decoder = new Program({
    command: [program, ...decodeArguments(frames.length)],
    ...{ clock, reader, sink: { unit() {} }, isFed: true },
  });
  const over = decoder.run(signal);
  decoder.write(toAnnexB(frames));
  decoder.endInput();
  const end = await over;
  signal.throwIfAborted();
  if (end instanceof ProgramMissing) throw withoutFfmpeg(end);
  const jpeg = asJpeg(concat(...parts));
  if (jpeg === undefined) throw broken(end.message);
  return jpeg;
}

function decodeArguments(count: number): string[] {
  return [
    ...FFMPEG_START.filter((word) => word !== "-nostdin"),
    ...["-f", "h264", "-i", "pipe:0", "-vf", `select=gte(n\\,${count - 1})`, "-frames:v", "1"],
    ...["-c:v", "mjpeg", "-q:v", "3", "-f", "image2pipe", "pipe:1"],
  ];
}

/** What a decoder reads from a file: the frames' NAL units behind start codes. */
export function toAnnexB(frames: readonly VideoFrame[]): Uint8Array {
  const depacketizer = new Depacketizer();
  let sequence = 0;
  const units = frames.flatMap(({ payloads, timestamp }) =>
    payloads.flatMap((payload, index) =>
      depacketizer.push({
        ...{ payloadType: 96, ssrc: 1, sequence: sequence++ & 0xffff, timestamp, payload },
        marker: index === payloads.length - 1,
      })
    )
  );
  return concat(...units.flatMap(({ nals }) => nals.flatMap((nal) => [START_CODE, nal])));
}

function withoutFfmpeg(cause: Error): CameraError {
  const remedy = "install it, or take the picture in the page";
  return new CameraError("unsupported", `Cannot take a picture: ffmpeg is missing: ${remedy}`, {
    cause,
  });
}

function broken(reason: string): CameraError {
  return new CameraError("broken", `Cannot take a picture: ${reason}`);
}
