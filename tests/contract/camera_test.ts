/**
 * The contract of a camera, whatever its source: real servers and programs on one side, a real
 * decoder on the other.
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { createCameras } from "../../src/camera/cameras.ts";
import { Depacketizer } from "../../src/camera/depacketizer.ts";
import type { VideoFrame } from "../../src/camera/frame_preparer.ts";
import { parseSource, type SourceOptions } from "../../src/camera/parse_source.ts";
import { concat } from "../../src/lib/bytes.ts";
import type { Log } from "../../src/lib/log.ts";
import { ffmpegLack, RtspServer, rtspServerLack } from "./rtsp_camera.ts";

const PASSWORD = "p@ss:w/rd#1%";
const WAIT_LIMIT_MS = 30_000;
const LOCKED = ["--user", "admin", "--password", PASSWORD];
const CLIP = await Deno.readFile(new URL("../../src/camera/test_clip.h264", import.meta.url));

const ffmpeg = ffmpegLack();
const server = ffmpeg ?? rtspServerLack();
if (server !== undefined) note(`RTSP tests are skipped: ${server}`);
if (ffmpeg !== undefined) note(`decoding tests are skipped: ${ffmpeg}`);

function note(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`tests/contract/camera_test.ts: ${text}\n`));
}

/** Looks at one camera and keeps what comes. */
class Look {
  readonly states: string[] = [];
  readonly frames: VideoFrame[] = [];
  readonly log: string[] = [];
  readonly #cameras;
  #waiting: (() => void)[] = [];

  constructor(source: string, options?: SourceOptions) {
    const note = (event: string, fields = {}) => {
      this.log.push(JSON.stringify([event, fields]));
    };
    const log: Log = { debug: note, info: note, warn: note, error: note };
    const config = { id: "front", title: "Front", source: parseSource(source, options) };
    this.#cameras = createCameras([config], { log, testClip: CLIP, random: () => 0 });
  }

  /** Starts delivery as soon as there is a picture; gives the profile. */
  async open(): Promise<string> {
    const listener = {
      state: (state: string, code?: string) => {
        this.states.push(code === undefined ? state : `${state} ${code}`);
        this.#wake();
      },
    };
    const stop = new AbortController();
    const limit = setTimeout(() => stop.abort(new Error(`in vain: ${this.log}`)), WAIT_LIMIT_MS);
    const feed = await this.#cameras.open("front", listener, stop.signal)
      .finally(() => clearTimeout(limit));
    feed.play({
      sendFrame: (frame) => {
        this.frames.push(frame);
        this.#wake();
      },
    });
    return feed.profileLevelId;
  }

  snapshot(): Promise<Uint8Array> {
    return this.#cameras.snapshot("front", AbortSignal.timeout(WAIT_LIMIT_MS));
  }

  /** Resolves once this holds, rejects when it does not for far longer than it could take. */
  async until(holds: () => boolean): Promise<void> {
    let wake = () => {};
    const limit = setTimeout(() => wake(), WAIT_LIMIT_MS);
    const end = performance.now() + WAIT_LIMIT_MS;
    while (!holds() && performance.now() < end) {
      await new Promise<void>((resolve) => this.#waiting.push(wake = resolve));
    }
    clearTimeout(limit);
    ok(holds(), `in vain: ${this.states}; ${this.frames.length} frames; ${this.log}`);
  }

  close(): Promise<void> {
    return this.#cameras.close();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

function toAnnexB(frames: readonly VideoFrame[]): Uint8Array {
  const depacketizer = new Depacketizer();
  let sequence = 0;
  const units = frames.flatMap(({ payloads, timestamp }) =>
    payloads.flatMap((payload, i) => {
      const marker = i === payloads.length - 1;
      return depacketizer.push({
        payloadType: 96,
        ssrc: 1,
        sequence: sequence++ & 0xffff,
        marker,
        timestamp,
        payload,
      });
    })
  );
  return concat(...units.flatMap((unit) => unit.nals.flatMap((nal) => [START_CODE, nal])));
}

const START_CODE = Uint8Array.of(0, 0, 0, 1);

/** How many pictures a real decoder makes of these frames; it must not complain. */
async function decoded(frames: readonly VideoFrame[]): Promise<number> {
  const options = "-v error -count_frames -select_streams v -show_entries stream=nb_read_frames";
  const child = new Deno.Command("ffprobe", {
    args: [...options.split(" "), "-of", "csv=p=0", "-f", "h264", "-i", "pipe:0"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(toAnnexB(frames));
  await writer.close();
  const { stdout, stderr } = await child.output();
  equal(new TextDecoder().decode(stderr), "");
  return Number(new TextDecoder().decode(stdout).trim());
}

function checkTimestamps(frames: readonly VideoFrame[]): void {
  for (const [i, frame] of frames.entries()) {
    const gap = i === 0 ? 1 : (frame.timestamp - frames[i - 1]!.timestamp) | 0;
    ok(gap > 0, `frame ${i} is ${gap} ticks after the one before`);
  }
}

/** Two key frames and what lies between them, seen and decoded without a gap. */
async function checkPicture(look: Look): Promise<void> {
  const keys = () => look.frames.filter((frame) => frame.keyFrame).length;
  try {
    match(await look.open(), /^[0-9a-f]{6}$/);
    await look.until(() => keys() >= 2);
  } finally {
    await look.close();
  }
  equal(look.frames[0]!.keyFrame, true);
  checkTimestamps(look.frames);
  equal(await decoded(look.frames), look.frames.length);
  ok(!look.log.join().includes("w/rd"), "the password is not in the log");
}

for (const transport of ["tcp", "udp"]) {
  Deno.test({
    name: `an RTSP camera with Digest gives a picture over ${transport}`,
    ignore: server !== undefined,
    fn: async () => {
      const camera = await RtspServer.start(...LOCKED);
      try {
        const source = `rtsp://admin:${PASSWORD}@127.0.0.1:${camera.port}/stream1`;
        await checkPicture(new Look(source, { transport }));
      } finally {
        await camera.kill();
      }
    },
  });

  Deno.test({
    name: `an RTSP camera that refuses ${transport} gives its picture by the other transport`,
    ignore: server !== undefined,
    fn: async () => {
      const camera = await RtspServer.start(transport === "tcp" ? "--udp-only" : "--tcp-only");
      try {
        await checkPicture(new Look(`rtsp://127.0.0.1:${camera.port}/stream1`, { transport }));
      } finally {
        await camera.kill();
      }
    },
  });
}

Deno.test({
  name: "an RTSP camera with Basic gives a picture of many packets a frame",
  ignore: server !== undefined,
  fn: async () => {
    const camera = await RtspServer.start(
      ...LOCKED,
      "--basic",
      "--size",
      "1280x720",
      "--pattern",
      "snow",
    );
    try {
      const password = encodeURIComponent(PASSWORD);
      await checkPicture(new Look(`rtsp://admin:${password}@127.0.0.1:${camera.port}/stream1`));
    } finally {
      await camera.kill();
    }
  },
});

Deno.test({
  name: "B-frames of an RTSP camera are left out and the rest decodes",
  ignore: server !== undefined,
  fn: async () => {
    // with two, x264 refers to one of them
    const camera = await RtspServer.start("--b-frames", "1");
    try {
      const look = new Look(`rtsp://127.0.0.1:${camera.port}/stream1`);
      await checkPicture(look);
      ok(look.log.some((line) => line.includes("camera.b_frames")));
    } finally {
      await camera.kill();
    }
  },
});

Deno.test({
  name: "a wrong password is unauthorised",
  ignore: server !== undefined,
  fn: async () => {
    const camera = await RtspServer.start(...LOCKED);
    const look = new Look(`rtsp://admin:hunter2@127.0.0.1:${camera.port}/stream1`);
    const opened = look.open().catch((error) => error.code);
    await look.until(() => look.states.length === 2);
    await look.close();
    await camera.kill();
    equal(await opened, "ended");
    deepEqual(look.states, ["starting", "failed unauthorised"]);
    ok(!look.log.join().includes("hunter2"));
  },
});

Deno.test({
  name: "other codecs are unsupported and named in the log",
  ignore: server !== undefined,
  fn: async () => {
    const camera = await RtspServer.start("--codec", "jpeg");
    const look = new Look(`rtsp://127.0.0.1:${camera.port}/stream1`);
    const opened = look.open().catch((error) => error.code);
    await look.until(() => look.states.length === 2);
    await look.close();
    await camera.kill();
    equal(await opened, "ended");
    deepEqual(look.states, ["starting", "failed unsupported"]);
    match(look.log.join(), /JPEG/);
  },
});

Deno.test({
  name: "a camera that lost its power comes back by itself",
  ignore: server !== undefined,
  fn: async () => {
    const before = await RtspServer.start();
    const look = new Look(`rtsp://127.0.0.1:${before.port}/stream1`);
    await look.open();
    await look.until(() => look.frames.length >= 10);
    await before.kill();
    await look.until(() => look.states.at(-1)!.startsWith("waiting"));
    const seen = look.frames.length;
    const after = await RtspServer.start("--port", String(before.port));
    try {
      await look.until(() => look.frames.length >= seen + 10);
    } finally {
      await look.close();
      await after.kill();
    }
    equal(look.states.at(-1), "live");
    equal(look.frames[seen]!.keyFrame, true);
    checkTimestamps(look.frames);
    equal(await decoded(look.frames), look.frames.length);
  },
});

Deno.test({
  name: "RTP packets far above 1400 bytes are cut again for the browser",
  ignore: server !== undefined,
  fn: async () => {
    const options = ["--mtu", "16000", "--size", "1280x720", "--pattern", "snow"];
    const camera = await RtspServer.start(...options);
    try {
      for (const transport of ["tcp", "udp"]) {
        const look = new Look(`rtsp://127.0.0.1:${camera.port}/stream1`, { transport });
        await checkPicture(look);
        const sizes = look.frames.flatMap(({ payloads }) => payloads.map(({ length }) => length));
        ok(Math.max(...sizes) <= 1200, `${Math.max(...sizes)} bytes`);
      }
    } finally {
      await camera.kill();
    }
  },
});

Deno.test({
  name: "lost packets cost pictures up to the next key frame, and what is shown decodes",
  ignore: server !== undefined,
  fn: async () => {
    const options = ["--drop", "0.01", "--key-interval", "10", "--size", "640x480"];
    const camera = await RtspServer.start(...options);
    const look = new Look(`rtsp://127.0.0.1:${camera.port}/stream1`, { transport: "udp" });
    try {
      await look.open();
      await look.until(() => look.frames.filter(({ keyFrame }) => keyFrame).length >= 6);
    } finally {
      await look.close();
      await camera.kill();
    }
    checkTimestamps(look.frames);
    equal(await decoded(look.frames), look.frames.length);
  },
});

Deno.test({
  name: "a session is kept alive, and one that the camera hangs up on comes back",
  ignore: server !== undefined,
  fn: async () => {
    const strict = await RtspServer.start("--session-timeout", "2");
    const kept = new Look(`rtsp://127.0.0.1:${strict.port}/stream1`, { transport: "udp" });
    try {
      await kept.open();
      await kept.until(() => kept.frames.length >= 150); // 5 s: two and a half times the limit
      deepEqual(kept.states, ["starting", "live"]);
    } finally {
      await kept.close();
      await strict.kill();
    }
    const rude = await RtspServer.start("--hang-up-after", "2");
    const again = new Look(`rtsp://127.0.0.1:${rude.port}/stream1`);
    try {
      await again.open();
      await again.until(() => again.states.filter((state) => state === "live").length >= 2);
    } finally {
      await again.close();
      await rude.kill();
    }
  },
});

Deno.test({
  name: "a camera with a certificate of its own is shown when it is pinned, or any is allowed",
  ignore: server !== undefined,
  fn: async () => {
    const { file, sha256 } = await certificate();
    const camera = await RtspServer.start(...LOCKED, "--tls", file);
    const password = encodeURIComponent(PASSWORD);
    const source = `rtsps://admin:${password}@127.0.0.1:${camera.port}/stream1`;
    try {
      await checkPicture(new Look(source, { pin: sha256 }));
      await checkPicture(new Look(source, { verify: false }));
      const refused = [{}, { pin: "00".repeat(32) }].map(async (options) => {
        const look = new Look(source, options);
        const opened = look.open().catch(() => {});
        await look.until(() => look.states.length === 2);
        await look.close();
        await opened;
        return [look.states[1], look.log.join()] as const;
      });
      const [unknown, other] = await Promise.all(refused);
      equal(unknown![0], "waiting unreachable");
      match(unknown![1], /its certificate is not trusted: set pin/);
      equal(other![0], "waiting unreachable");
      match(other![1], new RegExp(`its certificate is ${sha256}`));
    } finally {
      await camera.kill();
      await Deno.remove(file);
    }
  },
});

Deno.test({
  name: "H.265 of an RTSP camera is shown by way of ffmpeg",
  ignore: server !== undefined || !await hasElement("x265enc"),
  fn: async () => {
    const camera = await RtspServer.start("--codec", "h265");
    try {
      await checkPicture(new Look(`rtsp://127.0.0.1:${camera.port}/stream1`));
    } finally {
      await camera.kill();
    }
  },
});

Deno.test({
  name: "while H.264 of a camera plays, nothing encodes; a snapshot is taken from the kept frames",
  ignore: server !== undefined,
  fn: async () => {
    const camera = await RtspServer.start();
    const look = new Look(`rtsp://127.0.0.1:${camera.port}/stream1`);
    try {
      await look.open();
      await look.until(() => look.frames.length >= 10);
      deepEqual(await childrenOf(Deno.pid, camera.pid), [], "the agent has no children");
      const jpeg = await look.snapshot();
      deepEqual([...jpeg.slice(0, 3), ...jpeg.slice(-2)], [0xff, 0xd8, 0xff, 0xff, 0xd9]);
      deepEqual(await childrenOf(Deno.pid, camera.pid), [], "the one that made the JPEG is gone");
    } finally {
      await look.close();
      await camera.kill();
    }
  },
});

Deno.test({
  name: "a program that writes H.264 gives a picture",
  ignore: ffmpeg !== undefined,
  fn: () =>
    checkPicture(
      new Look(
        "exec:ffmpeg -v error -re -f lavfi -i 'testsrc2=size=320x240:rate=30' -pix_fmt yuv420p " +
          "-c:v libx264 -preset ultrafast -tune zerolatency -threads 1 -g 30 -f h264 -",
      ),
    ),
});

Deno.test({
  name: "the test camera gives a picture",
  ignore: ffmpeg !== undefined,
  fn: () => checkPicture(new Look("test:")),
});

/** A certificate that nobody has signed, with its key, in one PEM file. */
async function certificate(): Promise<{ file: string; sha256: string }> {
  const file = await Deno.makeTempFile({ suffix: ".pem" });
  const key = await Deno.makeTempFile();
  const run = async (args: string) => {
    const { success, stdout } = await new Deno.Command("openssl", {
      args: args.split(" "),
      stderr: "null",
    }).output();
    ok(success, `openssl ${args}`);
    return new TextDecoder().decode(stdout);
  };
  await run(
    `req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=camera -keyout ${key} -out ${file}`,
  );
  const print = await run(`x509 -in ${file} -noout -fingerprint -sha256`);
  await Deno.writeTextFile(file, await Deno.readTextFile(key), { append: true });
  await Deno.remove(key);
  return { file, sha256: print.trim().split("=")[1]!.replaceAll(":", "").toLowerCase() };
}

async function hasElement(name: string): Promise<boolean> {
  const script = "import gi; gi.require_version('Gst', '1.0'); from gi.repository import Gst; " +
    `Gst.init(None); assert Gst.ElementFactory.find('${name}')`;
  try {
    const python = new Deno.Command("/usr/bin/python3", {
      args: ["-c", script],
      stdout: "null",
      stderr: "null",
    });
    return (await python.output()).success;
  } catch {
    return false;
  }
}

/** Command lines of a process's children, all the way down, but for one that is none of its business. */
async function childrenOf(pid: number, except: number): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name) || Number(name) === except) continue;
    try {
      const stat = await Deno.readTextFile(`/proc/${name}/stat`);
      const parent = Number(stat.slice(stat.lastIndexOf(") ") + 2).split(" ")[1]);
      if (parent !== pid) continue;
      found.push(await Deno.readTextFile(`/proc/${name}/cmdline`));
      found.push(...await childrenOf(Number(name), except));
    } catch {
      // it ended meanwhile
    }
  }
  return found;
}
