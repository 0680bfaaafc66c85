/** Cases 10 to 12, 15, 16, 19 and 30: bodies that take their time, in both directions. */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { Case } from "../case.ts";
import type { Device } from "../device_server.ts";
import type { Exchange } from "../exchange.ts";
import { gates } from "./answers.ts";
import { PICTURES } from "./pictures.ts";

const MEBIBYTE = 1 << 20;
/** With CONFORMANCE_FULL=1 the sizes are those of the reference. */
const FULL = Deno.env.get("CONFORMANCE_FULL") === "1";
const PIECE = pattern(64 << 10);
/** What a page that does not read may take off a device's hands. */
const PAUSED_BYTES = 4 * MEBIBYTE;

/** Chromium itself reads up to 64 MB ahead of a page, for its cache, of what may be stored: here nothing may. */
const NO_STORE = ["Cache-Control", "no-store"] as const;

/** Bytes that do not repeat within 64 KiB, so that a lost or doubled piece changes the digest. */
function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 1;
  for (let at = 0; at < length; at += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes.writeUInt32LE(state, at);
  }
  return bytes;
}

function digest(length: number): string {
  const hash = createHash("sha256");
  for (let at = 0; at < length; at += PIECE.length) hash.update(PIECE.subarray(0, length - at));
  return hash.digest("hex");
}

async function sendPattern(exchange: Exchange, length: number): Promise<void> {
  for (let at = 0; at < length; at += PIECE.length) {
    await exchange.write(PIECE.subarray(0, length - at));
  }
}

/** Streams that are under way, by name, so that a page can ask how far they are. */
class Streams {
  readonly #streams = new Map<string, Exchange>();

  begin(name: string, exchange: Exchange): void {
    this.#streams.set(name, exchange);
  }

  /** How much the other side has taken, and whether it is still there. */
  async tell(exchange: Exchange): Promise<void> {
    const stream = this.#streams.get(exchange.query.get("name") ?? "");
    exchange.json(
      stream === undefined ? null : {
        taken: await stream.taken(),
        isOpen: !stream.socket.destroyed,
        isWithinLimit: await stream.taken() <= PAUSED_BYTES,
      },
    );
  }
}

/** The content of the one file in a multipart form. */
function fileIn(form: Buffer): Buffer {
  const boundary = form.subarray(0, form.indexOf("\r\n"));
  const begin = form.indexOf("\r\n\r\n") + 4;
  return form.subarray(begin, form.lastIndexOf(Buffer.concat([Buffer.from("\r\n"), boundary])));
}

const LONG_UPLOAD_BYTES = (FULL ? 200 : 16) * MEBIBYTE;

export const uploads: Case = {
  number: 10,
  title: "Multipart upload of 1 B, 3 MB and more: SHA-256 at the device, progress",
  firefox: true,
  device: () => ({
    paths: {
      "/upload": async (exchange) => {
        const file = fileIn(await exchange.bytes());
        exchange.json({
          length: file.length,
          sha256: createHash("sha256").update(file).digest("hex"),
          type: exchange.header("content-type")?.split(";")[0],
        });
      },
      "/raw": async (exchange) => {
        const hash = createHash("sha256");
        let length = 0;
        for await (const piece of exchange.body()) {
          hash.update(piece);
          length += piece.length;
        }
        exchange.json({ length, sha256: hash.digest("hex") });
      },
      "/length": (exchange) => exchange.json(LONG_UPLOAD_BYTES),
    },
  }),
  expected: { "1 B": [1, true], "3 MB": [3_000_000, true], "long": [LONG_UPLOAD_BYTES, true] },
};

/** Where the device of case 11 begins to take its time. */
const THIRD_BYTES = 6_000_000;
/** Milliseconds for a piece from there on: slow enough to be given up, fast enough to see it behind full buffers. */
const SLOW_MS = 20;

export const uploadAbort: Case = {
  number: 11,
  title: "Upload given up at 30 %: the device's connection ends",
  firefox: true,
  device() {
    let received = 0;
    let over = "no";
    return {
      paths: {
        "/upload": async (exchange) => {
          received = 0;
          over = "no";
          try {
            for await (const piece of exchange.body()) {
              received += piece.length;
              if (received <= THIRD_BYTES) continue;
              await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
            }
            over = "whole";
            exchange.reply({ body: "whole" });
          } catch {
            over = "cut";
          }
        },
        "/progress": (exchange) => exchange.json({ received, over }),
      },
    };
  },
  expected: { "XHR": ["abort", "cut"], "fetch": ["AbortError", "cut"] },
};

const DOWNLOAD_BYTES = (FULL ? 500 : 24) * MEBIBYTE;
const PAUSED_DOWNLOAD_BYTES = 16 * MEBIBYTE;

export const downloads: Case = {
  number: 12,
  title: "Download at the device's speed; a long pause, then on; nothing is cut",
  firefox: true,
  device() {
    const streams = new Streams();
    const go = gates();
    return {
      paths: {
        "/file": async (exchange) => {
          const length = Number(exchange.query.get("length"));
          streams.begin(exchange.query.get("name") ?? "", exchange);
          exchange.head(200, [
            ["Content-Type", "application/octet-stream"],
            ["Content-Length", String(length)],
            NO_STORE,
          ]);
          exchange.isWhole = true;
          await sendPattern(exchange, length);
        },
        "/first": async (exchange) => {
          exchange.head(200, [["Content-Length", "2"], ["Content-Type", "text/plain"]]);
          exchange.isWhole = true;
          await exchange.write("1");
          await go.wait("last");
          await exchange.write("2");
        },
        "/go": (exchange) => {
          go.open("last");
          exchange.reply({});
        },
        "/stream": (exchange) => streams.tell(exchange),
        "/wanted": (exchange) =>
          exchange.json({
            length: DOWNLOAD_BYTES,
            sha256: digest(DOWNLOAD_BYTES),
            pausedLength: PAUSED_DOWNLOAD_BYTES,
            pausedSha256: digest(PAUSED_DOWNLOAD_BYTES),
          }),
      },
    };
  },
  expected: {
    "whole": [DOWNLOAD_BYTES, true],
    "first byte before last": ["1", "2"],
    "paused": { blocks: true, isWithinLimit: true, isOpen: true },
    "goes on after the pause": [PAUSED_DOWNLOAD_BYTES, true],
  },
};

export const flow: Case = {
  number: 30,
  title: "A reader that stops blocks the device's socket within 4 MiB; others go on",
  // Not in Firefox: it reads an endless body on into its memory, whatever the page does, beside the device too.
  device() {
    const streams = new Streams();
    const go = gates();
    return {
      paths: {
        "/endless": async (exchange) => {
          streams.begin(exchange.query.get("name") ?? "", exchange);
          const framed = exchange.query.has("chunked");
          if (framed) exchange.startChunks([["Content-Type", "application/octet-stream"]]);
          else exchange.head(200, [["Content-Type", "application/octet-stream"], NO_STORE]);
          for (;;) await (framed ? exchange.chunk(PIECE) : exchange.write(PIECE));
        },
        "/first": async (exchange) => {
          exchange.startChunks();
          await exchange.chunk("1");
          await go.wait("last");
          await exchange.chunk("2");
          await exchange.endChunks();
        },
        "/go": (exchange) => {
          go.open("last");
          exchange.reply({});
        },
        "/stream": (exchange) => streams.tell(exchange),
        "/short": (exchange) => exchange.reply({ body: "short" }),
      },
      sockets: {
        "/echo": (socket) =>
          socket.on("message", (data, binary) => socket.send(data as Uint8Array, { binary })),
      },
    };
  },
  expected: {
    "first byte before last": ["1", "2"],
    "paused": { blocks: true, isWithinLimit: true, isOpen: true },
    "paused chunks": { blocks: true, isWithinLimit: true, isOpen: true },
    "others meanwhile": [20, 20],
    "goes on": true,
    "given up": false,
  },
};

/** A WAV file of silence with a click each second: any browser plays it, and nothing has to be encoded. */
const WAV_SECONDS = 240;
const WAV_RATE = 44_100;
const WAV = wav();

function wav(): Buffer {
  const data = WAV_SECONDS * WAV_RATE * 2;
  const file = Buffer.alloc(44 + data);
  file.write("RIFF", 0);
  file.writeUInt32LE(36 + data, 4);
  file.write("WAVEfmt ", 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20); // PCM
  file.writeUInt16LE(1, 22); // mono
  file.writeUInt32LE(WAV_RATE, 24);
  file.writeUInt32LE(WAV_RATE * 2, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write("data", 36);
  file.writeUInt32LE(data, 40);
  for (let second = 0; second < WAV_SECONDS; second++) {
    file.writeInt16LE(20_000, 44 + second * WAV_RATE * 2);
  }
  return file;
}

const LETTERS = Buffer.from("abcdefghijklmnopqrstuvwxyz");

interface Span {
  readonly from: number;
  readonly to: number;
}

/** RFC 9110 14.1.2; undefined for what cannot be satisfied. */
function spans(header: string, length: number): Span[] | undefined {
  const found: Span[] = [];
  for (const text of header.replace("bytes=", "").split(",")) {
    const [from = "", to = ""] = text.trim().split("-");
    const begin = from === "" ? Math.max(0, length - Number(to)) : Number(from);
    const end = from === "" || to === "" ? length - 1 : Math.min(Number(to), length - 1);
    if (begin < length && begin <= end) found.push({ from: begin, to: end });
  }
  return found.length === 0 ? undefined : found;
}

async function sendRange(exchange: Exchange, content: Buffer, type: string): Promise<void> {
  const range = exchange.header("range");
  const wanted = range === undefined ? undefined : spans(range, content.length);
  if (range !== undefined && wanted === undefined) {
    return exchange.reply({
      status: 416,
      headers: [["Content-Range", `bytes */${content.length}`]],
    });
  }
  const [only = { from: 0, to: content.length - 1 }, ...more] = wanted ?? [];
  if (more.length > 0) {
    const parts = [only, ...more].map(({ from, to }) =>
      `--part\r\nContent-Type: ${type}\r\nContent-Range: bytes ${from}-${to}/${content.length}\r\n\r\n` +
      `${content.subarray(from, to + 1)}\r\n`
    );
    return exchange.reply({
      status: 206,
      headers: [["Content-Type", "multipart/byteranges; boundary=part"]],
      body: `${parts.join("")}--part--\r\n`,
    });
  }
  const { from, to } = only;
  exchange.head(range === undefined ? 200 : 206, [
    ["Content-Type", type],
    ["Accept-Ranges", "bytes"],
    ["Cache-Control", "no-store"],
    ["Content-Length", String(to - from + 1)],
    ...(range === undefined ? [] : [
      ["Content-Range", `bytes ${from}-${to}/${content.length}`] as const,
    ]),
  ]);
  exchange.isWhole = true;
  for (let at = from; at <= to; at += PIECE.length) {
    await exchange.write(content.subarray(at, Math.min(at + PIECE.length, to + 1)));
  }
}

export const ranges: Case = {
  number: 15,
  title:
    "Ranges: open, suffix, 0-0, past the end, several; a medium plays, seeks, and stops the device",
  firefox: true,
  device() {
    let open = 0;
    let last: Exchange | undefined;
    const asked: string[] = [];
    return {
      paths: {
        "/letters": (exchange) => sendRange(exchange, LETTERS, "text/plain"),
        "/sound.wav": async (exchange) => {
          asked.push(exchange.header("range") ?? "none");
          open++;
          last = exchange;
          try {
            await sendRange(exchange, WAV, "audio/wav");
          } finally {
            open--;
          }
        },
        "/state": async (exchange) =>
          exchange.json({
            open,
            taken: await last?.taken() ?? 0,
            isWithinLimit: (await last?.taken() ?? 0) <= PAUSED_BYTES,
            far: asked.some((range) => Number(/^bytes=(\d+)-/.exec(range)?.[1]) > WAV.length / 2),
          }),
      },
    };
  },
  expected: {
    "bytes=0-": [206, "bytes 0-25/26", "abcdefghijklmnopqrstuvwxyz"],
    "bytes=-3": [206, "bytes 23-25/26", "xyz"],
    "bytes=0-0": [206, "bytes 0-0/26", "a"],
    "bytes=100-": [416, "bytes */26", ""],
    "duration": 240,
    "plays": true,
    "seeks": [true, true],
    "removed": 0,
  },
};

/** Ends of events; a device's own formatting may have either. */
const EVENTS = [
  "data: plain\n\n",
  "event: named\r\ndata: two\r\ndata: lines\r\n\r\n",
  ": comment\n\n",
];

export const events: Case = {
  number: 16,
  title: "Server-sent events in lock step, a long silence, reconnection with Last-Event-ID, close",
  firefox: true,
  device() {
    const go = gates();
    let open = 0;
    const begun: (string | null)[] = [];
    const live = (exchange: Exchange) => {
      open++;
      exchange.closed.then(() => open--);
      exchange.head(200, [["Content-Type", "text/event-stream"], ["Cache-Control", "no-cache"]]);
    };
    return {
      paths: {
        "/steps": async (exchange) => {
          live(exchange);
          for (let step = 0; step < 20; step++) {
            await exchange.write(`id: ${step}\ndata: ${step}\n\n`);
            await go.wait(`step ${step}`);
          }
        },
        "/seen": (exchange) => {
          go.open(`step ${exchange.query.get("step")}`);
          exchange.reply({});
        },
        "/kinds": async (exchange) => {
          live(exchange);
          await exchange.write(`\ufeffretry: 200\n${EVENTS.join("")}`);
          await exchange.closed;
        },
        "/again": async (exchange) => {
          begun.push(exchange.header("last-event-id") ?? null);
          live(exchange);
          await exchange.write(`retry: 200\nid: ${begun.length}\ndata: ${begun.length}\n\n`);
          if (begun.length >= 3) await exchange.closed;
        },
        "/begun": (exchange) => exchange.json(begun),
        "/silent": async (exchange) => {
          live(exchange);
          await exchange.write("retry: 600000\ndata: before\n\n");
          await new Promise((resolve) => setTimeout(resolve, Number(exchange.query.get("ms"))));
          await exchange.write("data: after\n\n");
          await exchange.closed;
        },
        "/end": (exchange) => exchange.reply({ status: 204 }),
        "/open": (exchange) => exchange.json(open),
      },
    };
  },
  expected: {
    "lock step": 20,
    "kinds": [["message", "plain"], ["named", "two\nlines"]],
    "reconnects": ["1", "2", "3"],
    "Last-Event-ID": [null, "1", "2"],
    "long silence": ["before", "after"],
    "closed": 0,
  },
};

const BOUNDARY = "frame";
/** Sent right behind a picture: a browser draws one when it sees that it is over. */
const NEXT_PART = `--${BOUNDARY}\r\nContent-Type: image/jpeg\r\n\r\n`;

export const pictures: Case = {
  number: 19,
  title: "MJPEG in an image: every picture is drawn in lock step, removal ends the device's stream",
  // Not in Firefox: a canvas there never gets the pictures of such an image, beside the device neither.
  device(): Device {
    const go = gates();
    let open = 0;
    const part = (at: number) => {
      const picture = PICTURES[at % PICTURES.length]!; // within it
      return Buffer.concat([picture, Buffer.from(`\r\n${NEXT_PART}`)]);
    };
    const begin = async (exchange: Exchange) => {
      open++;
      exchange.closed.then(() => open--);
      exchange.head(200, [
        ["Content-Type", `multipart/x-mixed-replace; boundary=${BOUNDARY}`],
        ["Cache-Control", "no-cache"],
      ]);
      await exchange.write(NEXT_PART);
    };
    return {
      paths: {
        "/steps": async (exchange) => {
          await begin(exchange);
          for (let step = 0;; step++) {
            await exchange.write(part(step));
            await Promise.race([go.wait(`step ${step}`), exchange.closed]);
          }
        },
        "/seen": (exchange) => {
          go.open(`step ${exchange.query.get("step")}`);
          exchange.reply({});
        },
        "/slow": async (exchange) => {
          await begin(exchange);
          for (let step = 0;; step++) {
            await exchange.write(part(step));
            await new Promise((resolve) => setTimeout(resolve, 1_000));
          }
        },
        "/open": (exchange) => exchange.json(open),
        "/page": (exchange) => exchange.html(`<img src="/slow">`),
      },
    };
  },
  expected: {
    "in lock step": 30,
    "still moving after a while": true,
    "removed": 0,
    "navigated away": 0,
  },
};
