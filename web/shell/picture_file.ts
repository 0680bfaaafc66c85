/**
 * Pictures and recordings of a camera as files. Everything is made in the browser from what it
 * shows: nothing is asked of the device.
 */

const JPEG_QUALITY = 0.92;
/** What a recording may hold in memory; it is saved then. An hour of 2 Mbit/s. */
const MAX_RECORDED_BYTES = 900 * 1024 * 1024;
const PIECE_MS = 1000; // what a crash of the page costs, and how exactly the limit is kept
const REVOKE_MS = 60_000; // browsers read a download's address late
/** What browsers record, the best to share first. */
const RECORDED_TYPES = [
  "video/mp4;codecs=avc1",
  "video/webm;codecs=h264",
  "video/webm;codecs=vp8",
  "video/webm",
];

/** Saves what the element shows now. False where it shows nothing yet. */
export async function savePicture(video: HTMLVideoElement, title: string): Promise<boolean> {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  if (canvas.width === 0) return false;
  canvas.getContext("2d")?.drawImage(video, 0, 0);
  const blob = await new Promise<Blob | null>((resolve) =>
    canvas.toBlob(resolve, "image/jpeg", JPEG_QUALITY)
  );
  if (blob === null) return false;
  save(blob, fileName(title, { at: new Date(), ending: "jpg" }));
  return true;
}

/** Whether this browser records at all. */
export function canRecord(): boolean {
  return recordedType() !== undefined;
}

function recordedType(): string | undefined {
  if (typeof MediaRecorder === "undefined") return undefined;
  return RECORDED_TYPES.find((type) => MediaRecorder.isTypeSupported(type));
}

/** A recording that runs. */
export interface Recording {
  /** Ends it and saves the file. */
  stop(): void;
}

/**
 * Starts recording; `ended` is told once, when it was saved: by `stop`, at the limit, or because the
 * picture went away. Throws where the browser does not record.
 */
export function startRecording(
  stream: MediaStream,
  { title, ended }: { readonly title: string; readonly ended: () => void },
): Recording {
  const type = recordedType();
  if (type === undefined) throw new Error("Cannot record: this browser does not");
  const recorder = new MediaRecorder(stream, { mimeType: type });
  const began = new Date();
  const pieces: Blob[] = [];
  let bytes = 0;
  recorder.ondataavailable = ({ data }) => {
    if (data.size > 0) pieces.push(data);
    bytes += data.size;
    if (bytes > MAX_RECORDED_BYTES && recorder.state !== "inactive") recorder.stop();
  };
  recorder.onstop = () => {
    const ending = type.startsWith("video/mp4") ? "mp4" : "webm";
    if (bytes > 0) save(new Blob(pieces, { type }), fileName(title, { at: began, ending }));
    ended();
  };
  recorder.onerror = () => {
    if (recorder.state !== "inactive") recorder.stop();
  };
  recorder.start(PIECE_MS);
  return { stop: () => recorder.state !== "inactive" && recorder.stop() };
}

/** "Front gate 2026-05-04 13.05.09.jpg": sorts by time, and no system minds it. */
export function fileName(
  title: string,
  { at, ending }: { readonly at: Date; readonly ending: string },
): string {
  const plain = title.replace(/[^\p{L}\p{N} _-]+/gu, " ").replace(/ +/g, " ").trim() || "camera";
  const [year, ...rest] = [at.getFullYear(), at.getMonth() + 1, at.getDate()];
  const day = [year, ...rest.map(two)].join("-");
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(".");
  return `${plain} ${day} ${time}.${ending}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), REVOKE_MS);
}
