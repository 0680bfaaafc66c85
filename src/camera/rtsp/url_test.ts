import { deepEqual, equal, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { parseRtspUrl } from "./url.ts";

function credentials(text: string): readonly [string, string] | undefined {
  const found = parseRtspUrl(text).credentials;
  return found === undefined ? undefined : [found.user, found.password];
}

Deno.test("an address is taken apart, and what the camera sees holds no credentials", () => {
  deepEqual(parseRtspUrl("rtsp://user:secret@192.168.1.20:8554/stream1?profile=2"), {
    secure: false,
    host: "192.168.1.20",
    port: 8554,
    url: "rtsp://192.168.1.20:8554/stream1?profile=2",
    credentials: { user: "user", password: "secret" },
  });
});

Deno.test("ports have their defaults and an empty path is the root", () => {
  deepEqual(parseRtspUrl("rtsp://cam"), {
    secure: false,
    host: "cam",
    port: 554,
    url: "rtsp://cam/",
  });
  equal(parseRtspUrl("RTSPS://cam.example.org/x").port, 322);
  equal(parseRtspUrl("rtsp://cam?x=1").url, "rtsp://cam/?x=1");
});

Deno.test("an IPv6 host loses its brackets for the socket and keeps them in the address", () => {
  const target = parseRtspUrl("rtsp://a:b@[fe80::1]:8554/s");
  deepEqual([target.host, target.port, target.url], ["fe80::1", 8554, "rtsp://[fe80::1]:8554/s"]);
});

Deno.test("odd characters in a password are taken raw and percent-encoded", () => {
  const expected = ["admin", "p@ss:w/rd#1%"];
  deepEqual(credentials("rtsp://admin:p@ss:w/rd#1%@192.168.1.20/stream1"), expected);
  deepEqual(credentials("rtsp://admin:p%40ss%3Aw%2Frd%231%25@192.168.1.20/stream1"), expected);
  equal(parseRtspUrl("rtsp://admin:p@ss:w/rd#1%@cam/stream1").url, "rtsp://cam/stream1");
  deepEqual(credentials("rtsp://a:?@cam/"), ["a", "?"]);
  deepEqual(credentials("rtsp://a:b@@cam/"), ["a", "b@"]);
  deepEqual(credentials("rtsp://a:%C3%A4@cam/"), ["a", "ä"]);
  deepEqual(credentials("rtsp://a:ä@cam/"), ["a", "ä"]);
  deepEqual(credentials("rtsp://a@cam/"), ["a", ""]);
  deepEqual(credentials("rtsp://:b@cam/"), ["", "b"]);
});

Deno.test('an "@" of the path is no credential', () => {
  deepEqual(parseRtspUrl("rtsp://cam/a@b"), {
    secure: false,
    host: "cam",
    port: 554,
    url: "rtsp://cam/a@b",
  });
});

Deno.test("an address with two meanings is refused with the remedy", () => {
  const ambiguous = [
    "rtsp://admin:12/3@cam/x",
    "rtsp://cam:554/a@b",
    "rtsp://u:secret@cam/a@b",
  ];
  for (const text of ambiguous) {
    throws(() => parseRtspUrl(text), { message: /two ways.*%2F/ }, text);
  }
});

Deno.test("what is no camera address is refused without repeating it", () => {
  const bad = [
    "http://u:hunter2@cam/",
    "rtsp://u:hunter2@",
    "rtsp://u:hunter2@/x",
    "rtsp://u:hunter2@cam:0/",
    "rtsp://u:hunter2@cam:99999/",
    "rtsp://u:hunter2@cam/a b",
    "rtsp://u:hunter2@cam/\r\nX: y",
    "rtsp://u:hunter2%0d%0a@cam/",
    "rtsp://u:hunter2%ff@cam/",
    `rtsp://u:hunter2@cam/${"x".repeat(3000)}`,
  ];
  for (const text of bad) {
    throws(() => parseRtspUrl(text), (error: Error) => {
      ok(error instanceof TypeError, text);
      ok(!error.message.includes("hunter2"), text);
      return true;
    });
  }
});

Deno.test("any password, percent-encoded, comes out as it was", () => {
  const password = fc.string({ unit: "grapheme" }).filter((text) => !/[\r\n\0]/.test(text));
  fc.assert(fc.property(password, (text) => {
    const encoded = encodeURIComponent(text);
    deepEqual(credentials(`rtsp://u:${encoded}@cam/x`), ["u", text]);
  }));
});
