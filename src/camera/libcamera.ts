/**
 * The `libcamera:` camera: what is plugged into a Raspberry Pi's camera connector, by its own
 * program, rpicam-vid (libcamera-vid on systems from before 2024). Names of options, messages and
 * the exit status are those of rpicam-apps' sources; what they mean to a person is said here.
 */
import { AnnexBReader } from "./annexb_reader.ts";
import { type Clock, SYSTEM_CLOCK } from "./clock.ts";
import type { PictureOptions } from "./picture_options.ts";
import { Program, ProgramMissing } from "./program.ts";
import { CameraError, type Source, type UnitSink } from "./source.ts";

/** The newer name first. */
export const PROGRAMS: readonly string[] = ["rpicam-vid", "libcamera-vid"];
/**
 * rpicam-vid writes each picture with one call (`--flush`): a pause of this length in what follows
 * within microseconds is the end of the picture.
 */
export const PICTURE_PAUSE_MS = 5;

const DEFAULT_FPS = 30;
const DEFAULT_SIZE = { width: 1280, height: 720 };
const DEFAULT_BITRATE = 4_000_000;
const SECONDS_BETWEEN_KEYS = 2;

export interface LibcameraConfig {
  /** As in `rpicam-vid --list-cameras`, from 0. */
  readonly index: number;
  readonly options: PictureOptions;
}

export class LibcameraSource implements Source {
  readonly #config: LibcameraConfig;
  readonly #clock: Clock;
  readonly #programs: readonly string[];
  /** Versions before 2024 do not know the option; without it newer ones delay pictures on a Pi 5. */
  #lowLatency = true;

  constructor(
    config: LibcameraConfig,
    { clock = SYSTEM_CLOCK, programs = PROGRAMS }: { clock?: Clock; programs?: readonly string[] } =
      {},
  ) {
    this.#config = config;
    this.#clock = clock;
    this.#programs = programs;
  }

  async run(sink: UnitSink, signal: AbortSignal): Promise<void> {
    let error = await this.#tryAll(sink, signal);
    if (error instanceof UnknownOption && !signal.aborted) {
      this.#lowLatency = false;
      error = await this.#tryAll(sink, signal);
    }
    if (signal.aborted) return;
    if (!(error instanceof ProgramMissing)) throw error;
    throw new CameraError(
      "broken",
      "Cannot start camera: rpicam-vid is not installed: install rpicam-apps (Raspberry Pi OS)",
      { cause: error },
    );
  }

  async #tryAll(sink: UnitSink, signal: AbortSignal): Promise<CameraError> {
    let error: CameraError = new CameraError("ended", "Cannot show camera: given up");
    for (const name of this.#programs) {
      if (signal.aborted) return error;
      error = await this.#program(name, sink).run(signal);
      if (!(error instanceof ProgramMissing)) return error;
    }
    return error;
  }

  #program(name: string, sink: UnitSink): Program {
    return new Program({
      command: [name, ...rpicamArguments(this.#config, { lowLatency: this.#lowLatency })],
      clock: this.#clock,
      reader: new AnnexBReader({ endsEarly: true }),
      idleMs: PICTURE_PAUSE_MS,
      sink,
      explain: explainRpicam,
    });
  }
}

/** What rpicam-vid is started with. */
export function rpicamArguments(
  { index, options }: LibcameraConfig,
  { lowLatency }: { lowLatency: boolean },
): string[] {
  const { size = DEFAULT_SIZE, fps = DEFAULT_FPS, bitrate = DEFAULT_BITRATE } = options;
  const { rotation = 0, intra = Math.max(1, Math.round(fps * SECONDS_BETWEEN_KEYS)) } = options;
  const values = {
    camera: index,
    width: size.width,
    height: size.height,
    framerate: fps,
    bitrate,
    intra,
    rotation,
  };
  return [
    ...["--timeout", "0", "--nopreview", "--codec", "h264", "--profile", "baseline"],
    ...["--inline", "--flush", ...(lowLatency ? ["--low-latency"] : [])],
    ...Object.entries(values).flatMap(([name, value]) => [`--${name}`, String(value)]),
    ...["--output", "-"],
  ];
}

class UnknownOption extends CameraError {}

const WORDS: readonly (readonly [RegExp, "unreachable" | "busy" | "broken", string])[] = [
  [
    /no cameras available/i,
    "unreachable",
    "no camera is found: check its cable, on both ends, with the power off",
  ],
  [
    /selected camera is not available/i,
    "unreachable",
    "it has no camera of that number: `rpicam-vid --list-cameras` lists them",
  ],
  [
    /failed to acquire camera|in use by another process|Device or resource busy/i,
    "busy",
    "another program uses the camera: end that one",
  ],
  [
    /Unable to open .*\/dev\/|Permission denied/i,
    "broken",
    "porthole may not open it: add its user to group video",
  ],
];

/** What its last words mean to a person; undefined: nothing in particular. */
export function explainRpicam(words: string): CameraError | undefined {
  if (/unrecognised option '--low-latency'/.test(words)) {
    return new UnknownOption("broken", "Cannot start camera: an older rpicam-vid");
  }
  const known = WORDS.find(([pattern]) => pattern.test(words));
  return known && new CameraError(known[1], `Cannot start camera: ${known[2]}`);
}
