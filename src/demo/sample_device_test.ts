import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { type IncomingMessage, request as send } from "node:http";
import type { Socket } from "node:net";
import { connect } from "node:net";
// @ts-types="npm:@types/ws@8.18.2"
import { WebSocket } from "ws";
import { SILENT } from "../lib/log.ts";
import { DOWNLOAD_BYTES } from "./download.ts";
import { startSampleDevice } from "./sample_device.ts";
import type { Site } from "./static_files.ts";

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

async function readSite(): Promise<Site> {
  const folder = new URL("site/", import.meta.url);
  const site = new Map<string, { bytes: Uint8Array; type: string }>();
  for await (const { name } of Deno.readDir(folder)) {
    const bytes = await Deno.readFile(new URL(name, folder));
    site.set(name, { bytes, type: TYPES[name.split(".").at(-1)!]! });
  }
  return site;
}

const SITE = await readSite();

interface Bench {
  readonly port: number;
  readonly base: string;
}

async function withDevice(act: (bench: Bench) => Promise<void>): Promise<void> {
  const device = await startSampleDevice({ site: SITE, log: SILENT, readingMs: 5 });
  try {
    await act({ port: device.port, base: `http://127.0.0.1:${device.port}` });
  } finally {
    await device.close();
  }
}

/** `fetch` without its own redirects. */
async function ask(url: string, options: RequestInit = {}) {
  const response = await fetch(url, { redirect: "manual", ...options });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** Reads server-sent events from a raw connection until `enough` says so. */
async function readEvents(
  { port }: Bench,
  { lastId, enough }: { lastId?: number; enough: (text: string) => boolean },
): Promise<string> {
  const headers = lastId === undefined ? {} : { "Last-Event-ID": String(lastId) };
  const request = send({ host: "127.0.0.1", port, path: "/events", headers, agent: false }).end();
  const [response] = await once(request, "response") as [IncomingMessage];
  let text = "";
  for await (const chunk of response) {
    text += chunk;
    if (enough(text)) break;
  }
  request.destroy();
  if (!request.closed) await once(request, "close");
  return text;
}

Deno.test("sample device serves its pages and every file that they name", async () => {
  await withDevice(async ({ base }) => {
    for (const page of ["/", "/settings?tab=net"]) {
      const { status, headers, text } = await ask(base + page);
      assert.equal(status, 200);
      assert.equal(headers.get("content-type"), "text/html; charset=utf-8");
      const named = [...text.matchAll(/(?:src|href)="(\.?\/?[a-z]+\.(?:js|css|svg))"/g)];
      assert.ok(named.length >= 3);
      for (const [, path] of named) {
        assert.equal((await ask(new URL(path!, base).href)).status, 200, path!);
      }
    }
    for (const path of ["/chart.js", "/console.js", "/transfer.js"]) {
      assert.equal((await ask(base + path)).headers.get("content-type"), TYPES.js);
    }
    assert.equal((await ask(base + "/nothing")).status, 404);
    assert.equal((await ask(base + "/", { method: "DELETE" })).status, 404);
  });
});

Deno.test("sample device revalidates files and compresses them for who asks", async () => {
  await withDevice(async ({ base }) => {
    const first = await fetch(base + "/workshop.css", { headers: { "Accept-Encoding": "gzip" } });
    const plain = await fetch(base + "/workshop.css", {
      headers: { "Accept-Encoding": "identity" },
    });
    assert.equal(await first.text(), await plain.text());
    assert.equal(plain.headers.get("content-encoding"), null);
    assert.notEqual(first.headers.get("etag"), plain.headers.get("etag"));
    const headers = { "If-None-Match": plain.headers.get("etag")!, "Accept-Encoding": "identity" };
    assert.equal((await ask(base + "/workshop.css", { headers })).status, 304);
  });
});

Deno.test("sample device keeps settings, and sends old addresses on", async () => {
  await withDevice(async ({ base }) => {
    const old = await ask(base + "/old");
    assert.deepEqual([old.status, old.headers.get("location")], [302, "/settings"]);
    const body = new URLSearchParams({ tab: "net", hostname: "shed", other: "x" });
    const saved = await ask(base + "/settings", { method: "POST", body });
    assert.deepEqual([saved.status, saved.headers.get("location")], [
      303,
      "/settings?tab=net&saved=1",
    ]);
    const values = JSON.parse((await ask(base + "/settings.json")).text);
    assert.deepEqual(values, { name: "Workshop", hostname: "shed", ntp: "pool.ntp.org" });
    const large = await ask(base + "/settings", { method: "POST", body: "x".repeat(5000) });
    assert.equal(large.status, 413);
  });
});

Deno.test("sample device refuses a page of another origin", async () => {
  await withDevice(async ({ base, port }) => {
    const headers = { Origin: "http://evil.example" };
    assert.equal((await ask(base + "/upload", { method: "POST", headers, body: "x" })).status, 403);
    const own = { Origin: base };
    assert.equal(
      (await ask(base + "/upload", { method: "POST", headers: own, body: "x" })).status,
      200,
    );
    for (
      const [path, origin, status] of [["/socket", "http://evil.example", 403], [
        "/other",
        base,
        404,
      ]]
    ) {
      const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { origin: String(origin) });
      socket.on("error", () => {});
      const [request, response] = await once(socket, "unexpected-response");
      assert.equal(response.statusCode, status);
      const closed = new Promise((resolve) => socket.once("close", resolve));
      request.destroy();
      socket.terminate();
      await closed;
    }
  });
});

Deno.test("sample device sends readings, and after a break only what was missed", async () => {
  await withDevice(async (bench) => {
    const count = (text: string) => text.split("event: temperature").length - 1;
    const first = await readEvents(bench, { enough: (text) => count(text) >= 3 });
    assert.match(
      first,
      /^retry: 1000\n\nid: 1\nevent: log\ndata: \{"text":"controller started"\}\n\n/,
    );
    assert.match(first, /event: relay\ndata: \{"on":false\}\n\n/);
    assert.match(first, /event: temperature\ndata: \{"celsius":2\d(\.\d+)?\}\n\n/);
    const rest = await readEvents(bench, { lastId: 4, enough: (text) => count(text) >= 2 });
    assert.match(rest, /^retry: 1000\n\nid: 5\n/);
    const afterRestart = await readEvents(bench, {
      lastId: 1e9,
      enough: (text) => count(text) >= 1,
    });
    assert.match(afterRestart, /^retry: 1000\n\nid: 1\n/);
  });
});

Deno.test("sample device's command line switches the lamp, and tells everybody", async () => {
  await withDevice(async (bench) => {
    const socket = new WebSocket(`ws://127.0.0.1:${bench.port}/socket`, ["other", "workshop.v1"]);
    await once(socket, "open");
    assert.equal(socket.protocol, "workshop.v1");
    const talk = async (line: string | Uint8Array) => {
      const answer = once(socket, "message");
      socket.send(line);
      const [data, isBinary] = await answer as [Buffer, boolean];
      return isBinary ? [...data] : data.toString();
    };
    assert.equal(await talk("relay on"), "ok relay on");
    assert.match(String(await talk("status")), /^relay on, 2\d\.\d °C$/);
    assert.equal(await talk("relay toggle"), "ok relay off");
    assert.equal(await talk("relay sideways"), "relay on|off|toggle");
    assert.equal(await talk("echo a  b\nc"), "a  b\nc");
    assert.match(String(await talk("what?")), /^relay on\|off/);
    assert.deepEqual(await talk(Uint8Array.of(0, 255)), [0, 255]);
    const events = await readEvents(bench, {
      enough: (text) => text.includes("lamp switched off"),
    });
    assert.match(events, /event: relay\ndata: \{"on":true\}\n\n/);
    const closed = once(socket, "close");
    socket.send("close 4001 bye");
    const [code, reason] = await closed;
    assert.deepEqual([code, String(reason)], [4001, "bye"]);
  });
});

Deno.test("sample device states size and digest of uploads", async () => {
  await withDevice(async ({ base }) => {
    const bytes = new Uint8Array(3_000_000).map((_, i) => i * 31 >> 3);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const raw = await ask(base + "/upload?name=raw.bin", { method: "POST", body: bytes });
    assert.deepEqual(JSON.parse(raw.text), { name: "raw.bin", size: bytes.length, sha256 });
    const form = new FormData();
    form.append("note", "x");
    form.append("file", new File([bytes], "form.bin"));
    const posted = await ask(base + "/upload", { method: "POST", body: form });
    assert.deepEqual(JSON.parse(posted.text), { name: "form.bin", size: bytes.length, sha256 });
    const none = new FormData();
    none.append("note", "x");
    assert.equal((await ask(base + "/upload", { method: "POST", body: none })).status, 400);
  });
});

Deno.test("sample device's download is the same every time, whole and in ranges", async () => {
  await withDevice(async ({ base }) => {
    const url = base + "/download/20mb.bin";
    const response = await fetch(url);
    assert.equal(response.headers.get("content-length"), String(DOWNLOAD_BYTES));
    const whole = Buffer.from(await response.arrayBuffer());
    const digest = createHash("sha256").update(whole).digest("hex");
    assert.equal((await ask(base + "/download/20mb.sha256")).text, `${digest}  20mb.bin\n`);
    const ranges: [header: string, from: number, to: number][] = [
      ["bytes=0-0", 0, 1],
      ["bytes=65530-131080", 65530, 131081],
      ["bytes=19999990-", 19999990, DOWNLOAD_BYTES],
      ["bytes=-5", DOWNLOAD_BYTES - 5, DOWNLOAD_BYTES],
      ["bytes=19999999-99999999", 19999999, DOWNLOAD_BYTES],
    ];
    for (const [range, from, to] of ranges) {
      const part = await fetch(url, { headers: { Range: range } });
      assert.equal(part.status, 206, range);
      assert.equal(part.headers.get("content-range"), `bytes ${from}-${to - 1}/${DOWNLOAD_BYTES}`);
      assert.ok(Buffer.from(await part.arrayBuffer()).equals(whole.subarray(from, to)), range);
    }
    for (const range of ["bytes=20000000-", "bytes=-0"]) {
      const { status, headers } = await ask(url, { headers: { Range: range } });
      assert.deepEqual(
        [status, headers.get("content-range")],
        [416, `bytes */${DOWNLOAD_BYTES}`],
        range,
      );
    }
    for (const range of ["bytes=5-2", "bytes=-", "items=0-1", "bytes=0-1,3-4"]) {
      const { status, headers } = await ask(url, { method: "HEAD", headers: { Range: range } });
      assert.deepEqual(
        [status, headers.get("content-length")],
        [200, String(DOWNLOAD_BYTES)],
        range,
      );
    }
    const changed = { Range: "bytes=0-0", "If-Range": '"old"' };
    assert.equal((await ask(url, { method: "HEAD", headers: changed })).status, 200);
  });
});

Deno.test("sample device holds a page back until it is released", async () => {
  await withDevice(async ({ base }) => {
    const response = await fetch(base + "/slow");
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    const { value } = await reader.read();
    assert.match(value!, /id="first"/);
    assert.deepEqual(JSON.parse((await ask(base + "/slow/release")).text), { released: 1 });
    let rest = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) rest += part.value;
    assert.match(rest, /id="last"/);
    assert.deepEqual(JSON.parse((await ask(base + "/slow/release")).text), { released: 0 });
  });
});

Deno.test("sample device's endless stream stops when nobody reads, and counts", async () => {
  await withDevice(async ({ base, port }) => {
    const counts = async () => JSON.parse((await ask(base + "/endless/written")).text);
    const socket: Socket = connect(port, "127.0.0.1");
    socket.pause();
    socket.write("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n");
    let seen = { written: -1, open: 0 };
    for (
      let now = await counts();
      now.written !== seen.written || now.written === 0;
      now = await counts()
    ) {
      seen = now;
      assert.ok(seen.written < 64 * 1024 * 1024);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    assert.equal(seen.open, 1);
    socket.resume();
    while ((await counts()).written <= seen.written);
    const closed = once(socket, "close");
    socket.destroy();
    await closed;
    while ((await counts()).open > 0);
  });
});
