/**
 * The `http://` camera with real JPEGs, the real ffmpeg, and `motion` as a real server of MJPEG. What
 * comes out is decoded.
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import { createCameras } from "../../src/camera/cameras.ts";
import type { VideoFrame } from "../../src/camera/frame_preparer.ts";
import { asJpeg } from "../../src/camera/http/multipart.ts";
import { parseSource } from "../../src/camera/parse_source.ts";
import { SILENT } from "../../src/lib/log.ts";
import { ffmpegLack, RtspServer, rtspServerLack } from "./rtsp_camera.ts";
import { freePort } from "../e2e/free_port.ts";

const CLIP = await Deno.readFile(new URL("../../src/camera/test_clip.h264", import.meta.url));
const WAIT_LIMIT_MS = 60_000;
const lack = ffmpegLack();
const motionLack = lack ?? rtspServerLack() ?? await missing("motion");
for (const reason of new Set([lack, motionLack])) {
  if (reason === undefined) continue;
  Deno.stderr.writeSync(new TextEncoder().encode(`tests of MJPEG are skipped: ${reason}\n`));
}

async function missing(program: string): Promise<string | undefined> {
  try {
    await new Deno.Command(program, { args: ["-h"], stdout: "null", stderr: "null" }).output();
    return undefined;
  } catch {
    return `${program} is missing`;
  }
}

/** JPEG pictures, one after the other. */
async function jpegs(count: number): Promise<Uint8Array[]> {
  const { stdout } = await new Deno.Command("ffmpeg", {
    args: `-v error -f lavfi -i testsrc2=size=321x241:rate=10 -frames:v ${count} -f mjpeg -`.split(
      " ",
    ),
  }).output();
  const starts: number[] = [];
  for (let at = 0; at + 2 < stdout.length; at++) {
    if (stdout[at] === 0xff && stdout[at + 1] === 0xd8 && stdout[at + 2] === 0xff) starts.push(at);
  }
  return starts.map((start, index) => stdout.subarray(start, starts[index + 1] ?? stdout.length));
}

/** Frames of a camera until there are so many, and its snapshot. */
async function look(source: string, enough: number) {
  const config = { id: "front", title: "Front", source: parseSource(source) };
  const cameras = createCameras([config], { log: SILENT, testClip: CLIP });
  const signal = AbortSignal.timeout(WAIT_LIMIT_MS);
  const frames: VideoFrame[] = [];
  const done = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => done.reject(signal.reason));
  done.promise.catch(() => {});
  const states: string[] = [];
  const state = (name: string, code = "") => void states.push(`${name} ${code}`.trim());
  try {
    const feed = await cameras.open("front", { state }, signal).catch((error) => {
      throw new Error(`no picture: ${states}`, { cause: error });
    });
    feed.play({
      sendFrame(frame) {
        frames.push(frame);
        if (frames.length === enough) done.resolve();
      },
    });
    await done.promise;
    return { frames, snapshot: await cameras.snapshot("front", signal) };
  } finally {
    await cameras.close();
  }
}

function serve(response: ServerResponse, pictures: readonly Uint8Array[]): void {
  response.writeHead(200, { "content-type": "multipart/x-mixed-replace;boundary=frame" });
  let shown = 0;
  const timer = setInterval(() => {
    const jpeg = pictures[shown++ % pictures.length]!;
    response.write(`--frame\r\nContent-Type: image/jpeg\r\nContent-Length: ${jpeg.length}\r\n\r\n`);
    response.write(jpeg);
    response.write("\r\n");
  }, 50);
  response.on("close", () => clearInterval(timer));
}

Deno.test({
  name: "an MJPEG stream becomes a picture, and its snapshot is the camera's own JPEG",
  ignore: lack !== undefined,
  fn: async () => {
    const pictures = await jpegs(10);
    const server = createServer((_, response) => serve(response, pictures));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    try {
      const { frames, snapshot } = await look(`http://127.0.0.1:${port}/mjpg`, 20);
      equal(frames[0]!.keyFrame, true);
      ok(pictures.some((jpeg) => jpeg.length === snapshot.length), "as the camera made it");
      // Each picture is written as soon as it is there: 50 ms apart, with what a busy machine adds.
      const spans = frames.slice(1).map((frame, i) =>
        (frame.timestamp - frames[i]!.timestamp) >>> 0
      );
      ok(spans.every((ticks) => ticks > 0 && ticks < 90 * 5000), `${spans}`);
    } finally {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    }
  },
});

Deno.test({
  name: "pictures of motion, a real server of MJPEG, are shown",
  ignore: motionLack !== undefined,
  fn: async () => {
    const camera = await RtspServer.start("--rate", "10");
    const folder = await Deno.makeTempDir();
    const port = freePort();
    await Deno.writeTextFile(
      `${folder}/motion.conf`,
      [
        ...[
          "daemon off",
          "setup_mode off",
          "log_level 3",
          "width 320",
          "height 240",
          "framerate 10",
        ],
        `netcam_url rtsp://127.0.0.1:${camera.port}/stream1`,
        ...[`stream_port ${port}`, "stream_localhost on", "stream_maxrate 10", "webcontrol_port 0"],
        ...["picture_output off", "movie_output off", `target_dir ${folder}`],
      ].join("\n"),
    );
    const motion = new Deno.Command("motion", {
      args: ["-n", "-c", `${folder}/motion.conf`],
      ...{ stdin: "null", stdout: "null", stderr: "null" },
    }).spawn();
    try {
      const { frames, snapshot } = await look(`http://127.0.0.1:${port}/`, 5);
      equal(frames[0]!.keyFrame, true);
      deepEqual(asJpeg(snapshot)?.length, snapshot.length);
    } finally {
      motion.kill("SIGKILL");
      await motion.status;
      await camera.kill();
      await Deno.remove(folder, { recursive: true });
    }
  },
});
