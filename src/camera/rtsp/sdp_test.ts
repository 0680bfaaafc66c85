import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { CameraError } from "../source.ts";
import { findVideo } from "./sdp.ts";

const BASE = "rtsp://cam/stream1";

function description(lines: readonly string[]): string {
  return ["v=0", "s=x", ...lines, ""].join("\r\n");
}

const VIDEO = ["m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000"];

Deno.test("the H.264 track is found among others, with its parameter sets", () => {
  const track = findVideo(
    description([
      "a=control:*",
      "m=audio 0 RTP/AVP 0",
      "a=control:trackID=0",
      "m=video 0 RTP/AVP 97 98",
      "a=rtpmap:97 H265/90000",
      "a=rtpmap:98 h264/90000",
      "a=fmtp:98 packetization-mode=1; sprop-parameter-sets=Z0LAHw==,aM4=;profile-level-id=42C01F",
      "a=control:trackID=1",
    ]),
    "rtsp://cam/stream1/",
  );
  deepEqual(track, {
    codec: "h264",
    payloadType: 98,
    aggregate: "rtsp://cam/stream1/",
    control: "rtsp://cam/stream1/trackID=1",
    parameterSets: [Uint8Array.of(0x67, 0x42, 0xc0, 0x1f), Uint8Array.of(0x68, 0xce)],
  });
});

Deno.test("control addresses are joined as cameras mean them", () => {
  const table = [
    [BASE, "trackID=1", "rtsp://cam/stream1/trackID=1"],
    ["rtsp://cam/s?a=1", "trackID=1", "rtsp://cam/s?a=1/trackID=1"],
    ["rtsp://cam:8554/s", "rtsp://10.0.0.9/other", "rtsp://cam:8554/other"],
    [BASE, "rtsp://admin:pw@cam/other", "rtsp://cam/other"],
    [BASE, "/root", "rtsp://cam/root"],
    [BASE, "*", BASE],
    [BASE, "with space", BASE],
  ] as const;
  for (const [base, control, expected] of table) {
    const text = description([...VIDEO, `a=control:${control}`]);
    equal(findVideo(text, base).control, expected);
  }
});

Deno.test("another aggregate address is taken for both", () => {
  const text = description(["a=control:rtsp://cam/all", ...VIDEO, "a=control:t1"]);
  const { aggregate, control } = findVideo(text, BASE);
  deepEqual([aggregate, control], ["rtsp://cam/all", "rtsp://cam/all/t1"]);
});

Deno.test("other codecs are refused by name", () => {
  const text = description(["m=video 0 RTP/AVP 96 26", "a=rtpmap:96 VP8/90000"]);
  throws(() => findVideo(text, BASE), {
    code: "unsupported",
    message: /offers VP8, type 26:.*H\.264/,
  });
  throws(() => findVideo(description([]), BASE), { code: "unsupported", message: /no video/ });
  const mode = description([...VIDEO, "a=fmtp:96 packetization-mode=2"]);
  throws(() => findVideo(mode, BASE), { code: "unsupported", message: /packetization-mode 2/ });
});

Deno.test("H.265 is found with its three kinds of parameter sets where there is no H.264", () => {
  const lines = ["m=video 0 RTP/AVP 96", "a=rtpmap:96 H265/90000"];
  const sets = "a=fmtp:96 sprop-vps=QAEM;sprop-sps=QgEB;sprop-pps=RAHA";
  const { codec, parameterSets } = findVideo(description([...lines, sets]), BASE);
  equal(codec, "h265");
  deepEqual(parameterSets.map(([first]) => first), [0x40, 0x42, 0x44]);
  const ordered = description([...lines, "a=fmtp:96 sprop-max-don-diff=3"]);
  throws(() => findVideo(ordered, BASE), { code: "unsupported", message: /sprop-max-don-diff 3/ });
});

Deno.test("names of codecs reach the log without their control characters", () => {
  const text = description(["m=video 0 RTP/AVP 96", `a=rtpmap:96 \u001b[31m${"x".repeat(999)}/1`]);
  throws(() => findVideo(text, BASE), { message: /offers 31mx{17}:/ });
});

Deno.test("random descriptions give a track or a named refusal", () => {
  const line = fc.constantFrom(
    ...VIDEO,
    "m=video",
    "m=",
    "a=control",
    "a=control:x",
    "a=fmtp:96 =;",
    "",
  );
  fc.assert(fc.property(fc.array(fc.oneof(line, fc.string())), (lines) => {
    try {
      return findVideo(lines.join("\n"), BASE).payloadType === 96;
    } catch (error) {
      return error instanceof CameraError && error.code === "unsupported";
    }
  }));
});
