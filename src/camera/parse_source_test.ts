import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { parseSource } from "./parse_source.ts";

Deno.test("each kind of source is read", () => {
  deepEqual(parseSource("test:"), { type: "test" });
  const command = ["ffmpeg", "-f", "h264", "-"];
  deepEqual(parseSource("exec:ffmpeg -f h264 -"), { type: "exec", command });
  const rtsp = parseSource("rtsp://u:p@cam/s", { transport: "udp" });
  deepEqual(rtsp, {
    type: "rtsp",
    transport: "udp",
    target: {
      secure: false,
      host: "cam",
      port: 554,
      url: "rtsp://cam/s",
      credentials: { user: "u", password: "p" },
    },
  });
  const secure = parseSource("rtsps://cam/s");
  equal(secure.type === "rtsp" && secure.transport, "tcp");
});

Deno.test("what is no source is refused without repeating it", () => {
  const bad = [
    "",
    "hunter2",
    "ftp://u:hunter2@cam/",
    "http:hunter2@",
    "http://u:%ff@hunter2/",
    "test:hunter2",
    "exec:",
    "rtsp:hunter2",
  ];
  for (const text of bad) {
    throws(() => parseSource(text), (error: Error) => {
      ok(error instanceof TypeError || error instanceof RangeError);
      ok(!error.message.includes("hunter2"));
      return true;
    });
  }
  throws(() => parseSource("test:", { transport: "udp" }), TypeError);
  throws(() => parseSource("rtsp://cam/", { transport: "quic" }), RangeError);
  throws(() => parseSource("rtsp://cam/", { verify: false }), /rtsps sources only/);
  throws(() => parseSource("rtsps://cam/", { pin: "aa" }), /64 hexadecimal/);
  throws(() => parseSource("rtsps://cam/", { pin: "aa".repeat(32), verify: false }), /exclude/);
});

Deno.test("cameras of the board itself are read with their options", () => {
  deepEqual(parseSource("libcamera:"), { type: "libcamera", index: 0, options: {} });
  deepEqual(
    parseSource("libcamera:1,size=1920x1080,fps=25,bitrate=2.5M,rotation=180,intra=50"),
    {
      type: "libcamera",
      index: 1,
      options: {
        size: { width: 1920, height: 1080 },
        fps: 25,
        bitrate: 2_500_000,
        rotation: 180,
        intra: 50,
      },
    },
  );
  deepEqual(parseSource("v4l2:/dev/video2,format=mjpeg"), {
    type: "v4l2",
    device: "/dev/video2",
    options: { format: "mjpeg" },
  });
  const bad = [
    ["libcamera:x", /number/],
    ["libcamera:size=0x0", /as in 1280x720/],
    ["libcamera:rotation=90", /0 or 180/],
    ["libcamera:fps=0", /0\.1 to/],
    ["libcamera:format=h264", /its options are size, fps/],
    ["libcamera:fps=1,fps=2", /twice/],
    ["v4l2:", /name the device/],
    ["v4l2:/dev/../etc/passwd", /name the device/],
    ["v4l2:-i", /name the device/],
    ["v4l2:/dev/video0,bitrate=1", /bits a second/],
  ] as const;
  for (const [text, expected] of bad) throws(() => parseSource(text), expected);
});

Deno.test("addresses over HTTP and certificates are read", () => {
  deepEqual(parseSource("https://u:p%40@cam:8443/mjpg?x=1"), {
    type: "http",
    target: {
      secure: true,
      host: "cam",
      port: 8443,
      path: "/mjpg?x=1",
      credentials: { user: "u", password: "p@" },
    },
  });
  const pinned = parseSource("rtsps://cam/s", { pin: "AA:".repeat(31) + "aa" });
  deepEqual(pinned.type === "rtsp" && pinned.trust, { type: "pinned", sha256: "aa".repeat(32) });
  const any = parseSource("rtsps://cam/s", { verify: false });
  deepEqual(any.type === "rtsp" && any.trust, { type: "unverified" });
});
