/**
 * The `libcamera:` camera with a stand-in for rpicam-vid (rpicam_vid.py says what it keeps to). What
 * a real one adds, above all its own delay, is not seen here.
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { LibcameraSource, rpicamArguments } from "../../src/camera/libcamera.ts";
import { type AccessUnit, CameraError } from "../../src/camera/source.ts";

const STAND_IN = fileURLToPath(new URL("./rpicam_vid.py", import.meta.url));
const CLIP = fileURLToPath(new URL("../../src/camera/test_clip.h264", import.meta.url));
const CONFIG = { index: 0, options: {} };

/** Runs the source with the stand-in in this mood until so many pictures came, or it failed. */
async function watch(mood: string, { pictures = 40, config = CONFIG, programs = [""] } = {}) {
  const folder = await Deno.makeTempDir();
  const name = `${folder}/rpicam-vid${mood}`;
  await Deno.symlink(STAND_IN, name);
  Deno.env.set("RPICAM_CLIP", CLIP);
  const stop = new AbortController();
  const units: AccessUnit[] = [];
  const source = new LibcameraSource(config, {
    programs: programs.map((program) => program === "" ? name : program),
  });
  const sink = {
    unit: (unit: AccessUnit) => {
      units.push(unit);
      if (units.length === pictures) stop.abort();
    },
  };
  try {
    await source.run(sink, stop.signal);
    return { units, error: undefined };
  } catch (error) {
    ok(error instanceof CameraError);
    return { units, error };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a camera on the board's connector gives pictures, each whole and in order", async () => {
  const { units, error } = await watch("");
  equal(error, undefined);
  deepEqual(units.flatMap((unit, index) => unit.keyFrame ? [index] : []), [0, 30]);
});

Deno.test("a version that does not know --low-latency is asked without it", async () => {
  const { units, error } = await watch("-old", { pictures: 3 });
  equal(error, undefined);
  equal(units.length, 3);
});

Deno.test("an older system's name of the program is tried too", async () => {
  const { units } = await watch("", { pictures: 3, programs: ["/nonexistent/rpicam-vid", ""] });
  equal(units.length, 3);
});

Deno.test("a camera that is absent, busy or another number is named with the remedy", async () => {
  const absent = await watch("-absent");
  equal(absent.error?.code, "unreachable");
  match(absent.error!.message, /check its cable/);
  const busy = await watch("-busy");
  equal(busy.error?.code, "busy");
  match(busy.error!.message, /another program uses the camera/);
  const second = await watch("", { config: { index: 1, options: {} } });
  equal(second.error?.code, "unreachable");
  match(second.error!.message, /list-cameras/);
  const missing = await watch("", { programs: ["/nonexistent/rpicam-vid"] });
  equal(missing.error?.code, "broken");
  match(missing.error!.message, /install rpicam-apps/);
});

Deno.test("a camera that goes away is broken, with its last words", async () => {
  const { units, error } = await watch("-gone", { pictures: 1000 });
  ok(units.length >= 25);
  equal(error?.code, "broken");
  match(error!.message, /No such device/);
});

Deno.test("a program that writes pictures in pieces costs one key frame's wait, no garbage", async () => {
  const { units, error } = await watch("-slow", { pictures: 32 });
  equal(error, undefined);
  const key = units.findIndex((unit, index) => index > 0 && unit.keyFrame);
  ok(key > 0 && key <= 2, "after the first cut everything up to the next key frame is left out");
});

Deno.test("options become those of rpicam-vid", () => {
  const options = {
    size: { width: 640, height: 480 },
    fps: 15,
    bitrate: 800_000,
    rotation: 180,
  } as const;
  const words = rpicamArguments({ index: 1, options }, { lowLatency: false }).join(" ");
  equal(
    words,
    "--timeout 0 --nopreview --codec h264 --profile baseline --inline --flush --camera 1 " +
      "--width 640 --height 480 --framerate 15 --bitrate 800000 --intra 30 --rotation 180 --output -",
  );
});
