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
  const bad = ["", "hunter2", "http://u:hunter2@cam/", "test:hunter2", "exec:", "rtsp:hunter2"];
  for (const text of bad) {
    throws(() => parseSource(text), (error: Error) => {
      ok(error instanceof TypeError || error instanceof RangeError);
      ok(!error.message.includes("hunter2"));
      return true;
    });
  }
  throws(() => parseSource("test:", { transport: "udp" }), TypeError);
  throws(() => parseSource("rtsp://cam/", { transport: "quic" }), RangeError);
});
