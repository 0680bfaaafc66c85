/**
 * The seam between a camera and everything that shows it. A source (`rtsp/`, `http/`, `libcamera.ts`,
 * `v4l2.ts`, `exec.ts`, `test_source.ts`) yields H.264 access units as they come; the hub (`hub.ts`) starts it for the
 * first viewer, stops it after the last, and turns units into frames for each viewer. Nothing here
 * knows WebRTC or sessions; nothing outside this folder knows RTSP. Left out: audio, other codecs,
 * talking to the camera.
 */

/** Why a camera gives no picture; the same words as `CameraCode` of protocol/control.ts. */
export type CameraCode =
  | "unknown"
  | "unreachable"
  | "unauthorised"
  | "unsupported"
  | "broken"
  | "busy"
  | "ended";

/**
 * What a camera is doing. `waiting` comes back by itself; `failed` is tried again too, but rarely,
 * because a person has to change something first (`unauthorised`, `unsupported`).
 */
export type CameraState = "starting" | "live" | "waiting" | "failed";

/** One picture, or parameter sets alone, as the camera sent it. */
export interface AccessUnit {
  /** NAL units without start codes, in order, each at least one byte. */
  readonly nals: readonly Uint8Array[];
  /** 90 kHz, unsigned 32 bits, wraps. The start is arbitrary. */
  readonly timestamp: number;
  /** Whether the unit holds an IDR slice. */
  readonly keyFrame: boolean;
}

/** Where a source puts what it got. Never throws. */
export interface UnitSink {
  unit(unit: AccessUnit): void;
}

/** Something that can be started again and again, one run at a time. */
export interface Source {
  /**
   * Yields units until `signal` aborts, and then resolves with everything released. Rejects with a
   * CameraError when the camera ends or fails before that.
   */
  run(sink: UnitSink, signal: AbortSignal): Promise<void>;
  /** A JPEG of the camera's own making, where it makes them. Rejects with a CameraError. */
  still?(signal: AbortSignal): Promise<Uint8Array>;
}

/**
 * A camera that gives no picture. The message is for the device's own log and never holds a
 * password.
 */
export class CameraError extends Error {
  override readonly name = "CameraError";
  readonly code: CameraCode;

  constructor(code: CameraCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The error as a CameraError: what nobody foresaw is `broken`. */
export function asCameraError(error: unknown): CameraError {
  if (error instanceof CameraError) return error;
  const message = error instanceof Error ? error.message : "unknown failure";
  return new CameraError("broken", message, { cause: error });
}
