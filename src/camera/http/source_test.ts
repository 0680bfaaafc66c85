import { deepEqual, equal, match, ok } from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { fromHex } from "../../lib/bytes.ts";
import { SYSTEM_CLOCK } from "../clock.ts";
import { FakeClock } from "../fake_clock_test.ts";
import { CameraError } from "../source.ts";
import { HEAD_LIMIT_MS } from "./client.ts";
import { PICTURE_LIMIT_MS, receiveOne, receivePictures } from "./pictures.ts";
import { parseHttpUrl } from "./url.ts";

const JPEG = fromHex("ffd8ffe000104a464946ffd9");
const STREAM = { "content-type": "multipart/x-mixed-replace; boundary=b" };
const PART = `--b\r\nContent-Type: image/jpeg\r\nContent-Length: ${JPEG.length}\r\n\r\n`;

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

interface Seen {
  readonly pictures: Uint8Array[];
  readonly requests: string[];
  readonly error: CameraError | undefined;
}

/** Watches a camera that answers so, until `enough` pictures came or it failed. */
async function watch(
  answer: Answer,
  { enough = 2, clock = SYSTEM_CLOCK, asked = () => {}, shown = () => {} }: {
    enough?: number;
    clock?: typeof SYSTEM_CLOCK;
    asked?: () => void;
    shown?: () => void;
  } = {},
): Promise<Seen> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.url} ${request.headers.authorization ?? "-"}`);
    answer(request, response);
    asked();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const target = parseHttpUrl(`http://admin:hunter2@127.0.0.1:${port}/mjpg?x=1`);
  const stop = new AbortController();
  const pictures: Uint8Array[] = [];
  const picture = (jpeg: Uint8Array) => {
    pictures.push(jpeg);
    shown();
    if (pictures.length === enough) stop.abort();
  };
  try {
    await receivePictures({ target, clock, signal: stop.signal, everyMs: 1, picture });
    return { pictures, requests, error: undefined };
  } catch (error) {
    if (stop.signal.aborted) return { pictures, requests, error: undefined };
    ok(error instanceof CameraError && !error.message.includes("hunter2"));
    return { pictures, requests, error };
  } finally {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

function stream(response: ServerResponse): void {
  response.writeHead(200, STREAM);
  for (let count = 0; count < 3; count++) {
    response.write(PART);
    response.write(JPEG);
    response.write("\r\n");
  }
}

Deno.test("an MJPEG stream gives its pictures as they are", async () => {
  const { pictures, requests } = await watch((_, response) => stream(response));
  deepEqual(pictures, [JPEG, JPEG]);
  deepEqual(requests, ["/mjpg?x=1 -"]);
});

Deno.test("a still is asked for again and again", async () => {
  const { pictures, requests } = await watch((_, response) => {
    response.writeHead(200, { "content-type": "image/jpeg" }).end(JPEG);
  }, { enough: 3 });
  equal(pictures.length, 3);
  equal(requests.length, 3);
});

Deno.test("a password is told by Digest or Basic once it is asked for", async () => {
  const digest = await watch((request, response) => {
    if (request.headers.authorization !== undefined) return stream(response);
    const challenge = 'Digest realm="r", nonce="n", qop="auth", algorithm=MD5';
    response.writeHead(401, { "www-authenticate": challenge }).end();
  });
  match(digest.requests[1]!, /Digest username="admin".*uri="\/mjpg\?x=1"/);
  equal(digest.pictures.length, 2);
  const basic = await watch((request, response) => {
    if (request.headers.authorization !== undefined) return stream(response);
    response.writeHead(401, { "www-authenticate": 'Basic realm="r"' }).end();
  });
  equal(basic.requests[1], `/mjpg?x=1 Basic ${btoa("admin:hunter2")}`);
});

Deno.test("a password that is refused is offered once", async () => {
  const { error, requests } = await watch((_, response) => {
    response.writeHead(401, { "www-authenticate": 'Basic realm="r"' }).end();
  });
  equal(error?.code, "unauthorised");
  equal(requests.length, 2);
});

Deno.test("redirects stay on the host and end", async () => {
  const circle = await watch((_, response) => {
    response.writeHead(302, { location: "/mjpg?x=1" }).end();
  });
  match(circle.error!.message, /circle/);
  equal(circle.requests.length, 4);
  const away = await watch((_, response) => {
    response.writeHead(302, { location: "http://192.0.2.1/secrets" }).end();
  });
  match(away.error!.message, /another host/);
});

Deno.test("other answers have their names", async () => {
  const table = [
    [404, {}, "unreachable"],
    [503, {}, "busy"],
    [500, {}, "broken"],
    [200, { "content-type": "text/html" }, "unsupported"],
  ] as const;
  for (const [status, headers, code] of table) {
    const { error } = await watch((_, response) =>
      void response.writeHead(status, headers).end("x")
    );
    equal(error?.code, code);
  }
});

Deno.test("a head above the limit is broken", async () => {
  const { error } = await watch((_, response) => {
    response.writeHead(
      200,
      Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`x-${i}`, "y".repeat(99)])),
    );
    response.end();
  });
  ok(error?.code === "broken" || error?.code === "unreachable");
});

Deno.test("a camera that never answers, and one that goes silent, are left after their time", async () => {
  const clock = new FakeClock();
  const mute = watch(() => {}, { clock, asked: () => void clock.pass(HEAD_LIMIT_MS) });
  equal((await mute).error?.code, "unreachable");
  const later = new FakeClock();
  const silent = watch((_, response) => {
    response.writeHead(200, STREAM);
    response.write(PART);
    response.write(JPEG);
  }, { clock: later, shown: () => void later.pass(PICTURE_LIMIT_MS) });
  const { error } = await silent;
  equal(error?.code, "broken");
  match(error!.message, /nothing for/);
});

Deno.test("one picture is taken from the start of a stream", async () => {
  const server = createServer((_, response) => stream(response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const target = parseHttpUrl(`http://127.0.0.1:${port}/`);
  const signal = new AbortController().signal;
  deepEqual(await receiveOne(target, { clock: SYSTEM_CLOCK, signal }), JPEG);
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

Deno.test("a port where nothing listens is unreachable", async () => {
  const target = parseHttpUrl("http://127.0.0.1:1/");
  const signal = new AbortController().signal;
  const error = await receiveOne(target, { clock: SYSTEM_CLOCK, signal }).catch((reason) => reason);
  equal(error.code, "unreachable");
});
