/**
 * The `test:` camera: a short clip (`test_clip.h264`, made by cross/make_test_clip.sh) shown again
 * and again at its own pace, with timestamps that run on over the seam. It needs no encoder and no
 * camera.
 */
import { UnitAssembler } from "./access_unit.ts";
import { AnnexBSplitter } from "./annexb.ts";
import { type Clock, SYSTEM_CLOCK } from "./clock.ts";
import { type AccessUnit, CameraError, type Source, type UnitSink } from "./source.ts";

const FRAMES_PER_SECOND = 30;
const TICKS_PER_FRAME = 90_000 / FRAMES_PER_SECOND;
const FRAME_MS = 1000 / FRAMES_PER_SECOND;
/**
 * After a longer sleep of the machine the clip goes on from here instead of catching up in a burst.
 */
const MAX_LATE_MS = 500;

export class TestSource implements Source {
  readonly #clip: Uint8Array;
  readonly #clock: Clock;

  /** `clip` is Annex B, constrained baseline, an IDR first. */
  constructor(clip: Uint8Array, clock: Clock = SYSTEM_CLOCK) {
    this.#clip = clip;
    this.#clock = clock;
  }

  async run(sink: UnitSink, signal: AbortSignal): Promise<void> {
    const units = splitClip(this.#clip);
    if (units[0]?.keyFrame !== true) {
      throw new CameraError("broken", "Cannot show test clip: it does not start with a key frame");
    }
    await new Promise<void>((resolve) => {
      if (signal.aborted) return resolve();
      let due = this.#clock.now();
      let shown = 0;
      let cancel = () => {};
      const show = () => {
        const now = this.#clock.now();
        if (now - due > MAX_LATE_MS) due = now;
        while (due <= now && !signal.aborted) {
          const timestamp = (shown * TICKS_PER_FRAME) >>> 0;
          sink.unit({ ...units[shown % units.length]!, timestamp });
          shown++;
          due += FRAME_MS;
        }
        if (!signal.aborted) cancel = this.#clock.after(due - now, show);
      };
      signal.addEventListener("abort", () => {
        cancel();
        resolve();
      }, { once: true });
      show();
    });
  }
}

function splitClip(clip: Uint8Array): AccessUnit[] {
  const splitter = new AnnexBSplitter();
  const assembler = new UnitAssembler();
  const nals = [...splitter.push(clip), ...splitter.flush()];
  const units = nals.map((nal) => assembler.push(nal, 0));
  return [...units, assembler.flush(0)].filter((unit) => unit !== undefined);
}
