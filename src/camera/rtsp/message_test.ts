import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { concat, utf8 } from "../../lib/bytes.ts";
import {
  MAX_BODY_BYTES,
  MAX_HEAD_BYTES,
  type RtspItem,
  RtspParser,
  writeInterleaved,
  writeRequest,
  writeResponse,
} from "./message.ts";

const RESPONSE = utf8(
  "RTSP/1.0 200 OK\r\nCSeq: 2\r\nWWW-Authenticate: Basic realm=x\r\n" +
    "www-authenticate: Digest\r\n realm=y\r\nContent-Length: 4\r\n\r\nv=0\n",
);
const REQUEST = utf8("OPTIONS rtsp://x/ RTSP/1.0\nCSeq: 5\n\n");
const PACKET = writeInterleaved(1, Uint8Array.of(0x24, 13, 10));

function parse(chunks: readonly Uint8Array[]): RtspItem[] {
  const parser = new RtspParser();
  return chunks.flatMap((chunk) => parser.push(chunk));
}

function summary(items: readonly RtspItem[]): unknown[] {
  return items.map((item) => {
    if (item.type === "interleaved") return [item.channel, [...item.bytes]];
    const first = item.type === "response" ? item.status : item.method;
    return [first, Object.fromEntries(item.headers), new TextDecoder().decode(item.body)];
  });
}

const STREAM = concat(PACKET, RESPONSE, utf8("\r\n"), REQUEST, PACKET);
const EXPECTED = [
  [1, [0x24, 13, 10]],
  [200, {
    "cseq": ["2"],
    "www-authenticate": ["Basic realm=x", "Digest realm=y"],
    "content-length": ["4"],
  }, "v=0\n"],
  ["OPTIONS", { cseq: ["5"] }, ""],
  [1, [0x24, 13, 10]],
];

Deno.test("answers, requests and packets are told apart", () => {
  deepEqual(summary(parse([STREAM])), EXPECTED);
});

Deno.test("the stream cut at every byte, and byte by byte, gives the same", () => {
  for (let cut = 0; cut <= STREAM.length; cut++) {
    deepEqual(summary(parse([STREAM.subarray(0, cut), STREAM.subarray(cut)])), EXPECTED, `${cut}`);
  }
  deepEqual(summary(parse(Array.from(STREAM, (byte) => Uint8Array.of(byte)))), EXPECTED);
});

Deno.test("a head above the limit is refused, whole or in pieces", () => {
  const line = utf8("RTSP/1.0 200 OK\r\n");
  const fill = new Uint8Array(MAX_HEAD_BYTES).fill(0x61);
  throws(() => parse([line, fill]), { code: "broken" });
  throws(() => parse([concat(line, fill, utf8("\r\n\r\n"))]), { code: "broken" });
  throws(() => parse(Array.from({ length: 20 }, () => fill.subarray(0, 1000))), { code: "broken" });
});

Deno.test("a body above the limit or of no length is refused", () => {
  for (const length of [String(MAX_BODY_BYTES + 1), "-1", "1e3", "x", "99999999999999999999"]) {
    const head = utf8(`RTSP/1.0 200 OK\r\nContent-Length: ${length}\r\n\r\n`);
    throws(() => parse([head]), { code: "broken" }, length);
  }
});

Deno.test("what is not RTSP is refused", () => {
  for (const first of ["HTTP/1.1 200 OK", "RTSP/1.0 20 OK", "RTSP/1.0 2000", "hello", "\u0000"]) {
    throws(() => parse([utf8(`${first}\r\n\r\n`)]), { code: "broken" }, first);
  }
});

Deno.test("a head with many headers of one name does not take long", () => {
  const headers = "a:\n".repeat(5000);
  const [item] = parse([utf8(`RTSP/1.0 200 OK\n${headers}\n`)]);
  equal(item?.type === "response" && item.headers.get("a")?.length, 5000);
});

Deno.test("random bytes give items or a named refusal", () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    fc.constantFrom("\r\n", "RTSP/1.0 200 OK", "$", "Content-Length: 3", ":").map(utf8),
  );
  fc.assert(fc.property(fc.array(piece), (pieces) => {
    try {
      parse(pieces);
    } catch (error) {
      return (error as { code?: string }).code === "broken";
    }
    return true;
  }));
});

Deno.test("requests and answers are written as they stand on the wire", () => {
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const request = writeRequest({ method: "PLAY", url: "rtsp://x/" }, {
    CSeq: "1",
    Range: "npt=0-",
  });
  equal(text(request), "PLAY rtsp://x/ RTSP/1.0\r\nCSeq: 1\r\nRange: npt=0-\r\n\r\n");
  equal(text(writeResponse("200 OK", "7")), "RTSP/1.0 200 OK\r\nCSeq: 7\r\n\r\n");
});
