import { equal, match, ok } from "node:assert/strict";
import { createServer, type Server, type Socket } from "node:net";
import { concat, fromHex, utf8 } from "../../lib/bytes.ts";
import { SYSTEM_CLOCK } from "../clock.ts";
import { FakeClock } from "../fake_clock_test.ts";
import { type AccessUnit, CameraError } from "../source.ts";
import { writeInterleaved } from "./message.ts";
import { MEDIA_LIMIT_MS } from "./session.ts";
import { RtspSource } from "./source.ts";
import { parseRtspUrl } from "./url.ts";

const SDP = "v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:t0\r\n";
const IDR = packet(96, "658811");

type Answer = (method: string, sequence: string, socket: Socket) => string | Uint8Array | undefined;

/**
 * A camera that behaves until `odd` has something else to say; undefined of `odd` means: behave.
 */
class Camera {
  readonly requests: string[] = [];
  readonly #odd: Answer;
  readonly #server: Server;

  constructor(odd: Answer = () => undefined) {
    this.#odd = odd;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return (this.#server.address() as { port: number }).port;
  }

  /** Resolves when the last visitor has gone. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #serve(socket: Socket): void {
    socket.on("error", () => {});
    socket.on("data", (bytes: Uint8Array) => {
      const text = new TextDecoder().decode(bytes);
      const method = text.slice(0, text.indexOf(" "));
      const sequence = /CSeq: (\d+)/.exec(text)?.[1] ?? "0";
      this.requests.push(text);
      const answer = this.#odd(method, sequence, socket) ?? plainAnswer(method, sequence);
      if (answer.length > 0) socket.write(answer);
    });
  }
}

function plainAnswer(method: string, sequence: string): string | Uint8Array {
  const head = `RTSP/1.0 200 OK\r\nCSeq: ${sequence}\r\n`;
  if (method === "DESCRIBE") return `${head}Content-Length: ${SDP.length}\r\n\r\n${SDP}`;
  if (method === "PLAY") return concat(utf8(`${head}\r\n`), writeInterleaved(0, IDR));
  return `${head}Session: 1\r\n\r\n`;
}

function packet(payloadType: number, payload: string): Uint8Array {
  const type = (payloadType | 0x80).toString(16);
  return fromHex(`80${type}00010000000100000001${payload}`);
}

interface Outcome {
  readonly units: AccessUnit[];
  readonly error: CameraError | undefined;
  readonly requests: readonly string[];
}

/** Runs a source against the camera until it ends, or until the first picture. */
async function visit(camera: Camera, clock = SYSTEM_CLOCK): Promise<Outcome> {
  const port = await camera.listen();
  const target = parseRtspUrl(`rtsp://u:hunter2@127.0.0.1:${port}/s`);
  const stop = new AbortController();
  const units: AccessUnit[] = [];
  const sink = {
    unit(unit: AccessUnit) {
      units.push(unit);
      if (unit.keyFrame) stop.abort();
    },
  };
  try {
    await new RtspSource(target, { transport: "tcp", clock }).run(sink, stop.signal);
    return { units, error: undefined, requests: camera.requests };
  } catch (error) {
    ok(error instanceof CameraError && !error.message.includes("hunter2"));
    return { units, error, requests: camera.requests };
  } finally {
    await camera.close();
  }
}

Deno.test("a plain camera gives its picture and is told good-bye", async () => {
  const { units, error, requests } = await visit(new Camera());
  equal(error, undefined);
  equal(units.filter((unit) => unit.keyFrame).length, 1);
  match(requests.at(-1)!, /^TEARDOWN /);
  ok(requests.every((request) => !request.includes("hunter2")));
});

Deno.test("ten megabytes of headers are broken, and most are never read", async () => {
  const camera = new Camera((method) => {
    return method === "OPTIONS" ? `RTSP/1.0 200 OK\r\n${"X: y\r\n".repeat(1_700_000)}` : undefined;
  });
  equal((await visit(camera)).error?.code, "broken");
});

Deno.test("a camera that redirects in a circle is given up", async () => {
  const camera = new Camera((method, sequence, socket) => {
    const here = `rtsp://127.0.0.1:${socket.localPort}/s`;
    const moved = `RTSP/1.0 302 Moved\r\nCSeq: ${sequence}\r\nLocation: ${here}\r\n\r\n`;
    return method === "DESCRIBE" ? moved : undefined;
  });
  const { error, requests } = await visit(camera);
  match(error!.message, /circle/);
  equal(requests.filter((request) => request.startsWith("DESCRIBE")).length, 4);
});

Deno.test("a camera that points to another host is not followed", async () => {
  for (const place of ["rtsp://127.0.0.2:1/s", "http://127.0.0.1/", "rtsp://"]) {
    const camera = new Camera((_, sequence) =>
      `RTSP/1.0 301 Moved\r\nCSeq: ${sequence}\r\nLocation: ${place}\r\n\r\n`
    );
    const { error, requests } = await visit(camera);
    match(error!.message, /another host|no place/);
    equal(requests.length, 1);
  }
});

Deno.test("a camera that takes neither transport is refused by name", async () => {
  const camera = new Camera((method, sequence) =>
    method === "SETUP" ? `RTSP/1.0 461 No\r\nCSeq: ${sequence}\r\n\r\n` : undefined
  );
  const { error, requests } = await visit(camera);
  equal(error?.code, "unsupported");
  const asked = requests.filter((request) => request.startsWith("SETUP"));
  match(asked[0]!, /RTP\/AVP\/TCP/);
  match(asked[1]!, /client_port=\d+-\d+/);
  equal(asked.length, 2);
});

Deno.test("an answer that is not RTSP, and a line that goes dead, have their names", async () => {
  const garbage = await visit(new Camera(() => "\u0000\u0001\u0002 hello\r\n\r\n"));
  equal(garbage.error?.code, "broken");
  const dead = await visit(
    new Camera((_method, _sequence, socket) => {
      socket.end();
      return "";
    }),
  );
  equal(dead.error?.code, "ended");
});

Deno.test("a port where nothing listens is unreachable", async () => {
  const camera = new Camera();
  const port = await camera.listen();
  await camera.close();
  const source = new RtspSource(parseRtspUrl(`rtsp://127.0.0.1:${port}/`), { transport: "tcp" });
  const error = await source.run({ unit() {} }, new AbortController().signal).catch((one) => one);
  equal(error.code, "unreachable");
});

/** Time passes, a second at a time, whenever the sockets had their turn. */
async function whileTimePasses<T>(clock: FakeClock, work: Promise<T>): Promise<T> {
  let done = false;
  const watched = work.finally(() => done = true);
  while (!done) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (!done) await clock.pass(100);
  }
  return await watched;
}

Deno.test("a camera that never answers is unreachable in the end", async () => {
  const clock = new FakeClock();
  const { error } = await whileTimePasses(clock, visit(new Camera(() => ""), clock));
  equal(error?.code, "unreachable");
  equal(clock.waiting, 0);
});

Deno.test("packets of another type are no video", async () => {
  const clock = new FakeClock();
  const camera = new Camera((method, sequence) => {
    const head = utf8(`RTSP/1.0 200 OK\r\nCSeq: ${sequence}\r\n\r\n`);
    return method === "PLAY" ? concat(head, writeInterleaved(0, packet(97, "658811"))) : undefined;
  });
  const { error, units } = await whileTimePasses(clock, visit(camera, clock));
  match(error!.message, RegExp(`nothing for ${MEDIA_LIMIT_MS} ms`));
  equal(units.filter((unit) => unit.nals.length > 0).length, 0);
});

Deno.test("abort ends every step at once and leaves nothing open", async () => {
  for (const step of ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"]) {
    const stop = new AbortController();
    const camera = new Camera((method) => {
      if (method !== step) return undefined;
      stop.abort();
      return "";
    });
    const target = parseRtspUrl(`rtsp://127.0.0.1:${await camera.listen()}/s`);
    await new RtspSource(target, { transport: "udp" }).run({ unit() {} }, stop.signal);
    await camera.close();
  }
});

Deno.test("a run that is aborted before it starts opens nothing", async () => {
  const camera = new Camera();
  const target = parseRtspUrl(`rtsp://127.0.0.1:${await camera.listen()}/s`);
  await new RtspSource(target, { transport: "tcp" }).run({ unit() {} }, AbortSignal.abort());
  await camera.close();
  equal(camera.requests.length, 0);
});
