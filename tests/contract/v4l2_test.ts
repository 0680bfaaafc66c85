/** The `v4l2:` camera with a stand-in for the device (v4l2_ffmpeg.py); ffmpeg itself is real. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { type AccessUnit, CameraError } from "../../src/camera/source.ts";
import { V4l2Source } from "../../src/camera/v4l2.ts";
import { readV4l2Formats } from "../../src/camera/v4l2_formats.ts";
import { ffmpegLack } from "./rtsp_camera.ts";

const STAND_IN = fileURLToPath(new URL("./v4l2_ffmpeg.py", import.meta.url));
const CLIP = fileURLToPath(new URL("../../src/camera/test_clip.h264", import.meta.url));
const lack = ffmpegLack();
if (lack !== undefined) {
  Deno.stderr.writeSync(new TextEncoder().encode(`V4L2 tests are skipped: ${lack}\n`));
}
const ignore = lack !== undefined;

async function watch(mood: string, pictures = 10) {
  const folder = await Deno.makeTempDir();
  const program = `${folder}/ffmpeg-${mood}`;
  await Deno.symlink(STAND_IN, program);
  Deno.env.set("RPICAM_CLIP", CLIP);
  const stop = new AbortController();
  const units: AccessUnit[] = [];
  const sink = {
    unit: (unit: AccessUnit) => {
      units.push(unit);
      if (units.length === pictures) stop.abort();
    },
  };
  const config = { device: "/dev/video9", options: {} };
  try {
    await new V4l2Source(config, { program, hardware: false }).run(sink, stop.signal);
    return { units, error: undefined };
  } catch (error) {
    ok(error instanceof CameraError);
    return { units, error };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const mood of ["h264", "mjpeg", "raw"]) {
  Deno.test({
    name: `a video device that has ${mood} gives pictures, with nothing said of formats`,
    ignore,
    fn: async () => {
      const { units, error } = await watch(mood);
      equal(error, undefined);
      ok(units.some(({ keyFrame }) => keyFrame));
    },
  });
}

Deno.test({
  name: "a video device that is busy or absent is named with the remedy",
  ignore,
  fn: async () => {
    const busy = await watch("busy");
    equal(busy.error?.code, "busy");
    match(busy.error!.message, /another program uses the camera/);
    const absent = await watch("absent");
    equal(absent.error?.code, "unreachable");
    match(absent.error!.message, /check its cable and its name/);
  },
});

Deno.test("a system without ffmpeg says what to install", async () => {
  const config = { device: "/dev/video9", options: {} };
  const source = new V4l2Source(config, { program: "/nonexistent/ffmpeg", hardware: false });
  const error = await source.run({ unit() {} }, new AbortController().signal).catch((one) => one);
  match(error.message, /ffmpeg is missing: install ffmpeg/);
});

Deno.test("formats are read from ffmpeg's list", () => {
  const list = "[video4linux2,v4l2 @ 0x1] Raw       :     yuyv422 :  YUYV 4:2:2 : 640x480\n" +
    "[video4linux2,v4l2 @ 0x1] Compressed:       mjpeg :  Motion-JPEG : 640x480\n" +
    "[video4linux2,v4l2 @ 0x1] Compressed:        hevc :  HEVC : 640x480\n";
  deepEqual([...readV4l2Formats(list)], ["raw", "mjpeg"]);
});
