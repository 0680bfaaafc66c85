/**
 * What a page is asked to measure on its own side: these functions run in Chromium, in the device's page, be it loaded
 * through the tunnel or directly. All is the page's own `fetch` and `WebSocket`; times are in ms.
 */
import type { Frame, Page } from "playwright-core";

/** Where a probe runs: the frame in the shell, or a page of the sample device itself. */
export type Probed = Frame | Page;

/** Bytes of the sample device's file. */
const FILE_BYTES = 20_000_000;
/** Larger than any figure: a page that hangs ends the run instead of holding it up. */
const PROBE_LIMIT_MS = 120_000;
const MBIT = 1000; // bits a millisecond in one Mbit/s

/**
 * Downloads the file and gives the rate in Mbit/s. After `limitMs` it takes what has come until then: on a slow link the
 * whole file takes minutes and says no more.
 */
export async function downloadRate(
  page: Probed,
  limitMs: number = PROBE_LIMIT_MS,
): Promise<number> {
  const { bytes, ms } = await page.evaluate(download, { limitMs });
  if (bytes !== FILE_BYTES && ms < limitMs) throw new Error(`The download gave ${bytes} bytes`);
  return bytes * 8 / MBIT / ms;
}

/** Uploads as many bytes as the file has, and gives the rate in Mbit/s up to the answer. */
export async function uploadRate(page: Probed): Promise<number> {
  const { size, ms } = await page.evaluate(upload, { bytes: FILE_BYTES, limitMs: PROBE_LIMIT_MS });
  if (size !== FILE_BYTES) throw new Error(`The sample device took ${size} of the upload`);
  return FILE_BYTES * 8 / MBIT / ms;
}

/** Times of `count` small GETs, one after the other. */
export async function requestTimes(page: Probed, count: number): Promise<number[]> {
  return await page.evaluate(requests, { count, limitMs: PROBE_LIMIT_MS });
}

/** Round trips of `count` WebSocket messages of 16 bytes, as a typist sends them; with `load` while the file downloads. */
export async function echoTimes(
  page: Probed,
  { count, load }: { count: number; load: boolean },
): Promise<number[]> {
  const { times, loaded } = await page.evaluate(echoes, { count, load, limitMs: PROBE_LIMIT_MS });
  if (load && loaded === 0) throw new Error("Nothing was downloaded beside the echoes");
  return times;
}

/* ---- in the page: no names of this file may be used below --------------------------------------------------- */

async function download({ limitMs }: { limitMs: number }): Promise<{ bytes: number; ms: number }> {
  const start = performance.now();
  const response = await fetch("/download/20mb.bin", { cache: "no-store" });
  const reader = response.body!.getReader();
  let bytes = 0;
  let ms = 0;
  while (ms < limitMs) {
    const { done, value } = await reader.read();
    ms = performance.now() - start;
    if (done) break;
    bytes += value.length;
  }
  await reader.cancel();
  return { bytes, ms };
}

async function upload(
  { bytes, limitMs }: { bytes: number; limitMs: number },
): Promise<{ size: number; ms: number }> {
  const start = performance.now();
  const response = await fetch("/upload?name=bench.bin", {
    method: "POST",
    body: new Uint8Array(bytes),
    signal: AbortSignal.timeout(limitMs),
  });
  const { size } = await response.json();
  return { size, ms: performance.now() - start };
}

async function requests({ count, limitMs }: { count: number; limitMs: number }): Promise<number[]> {
  const signal = AbortSignal.timeout(limitMs);
  const times: number[] = [];
  while (times.length < count) {
    const start = performance.now();
    const response = await fetch("/settings.json", { cache: "no-store", signal });
    await response.arrayBuffer();
    times.push(performance.now() - start);
  }
  return times;
}

async function echoes(
  { count, load, limitMs }: { count: number; load: boolean; limitMs: number },
): Promise<{ times: number[]; loaded: number }> {
  const pauseMs = 20; // between two keystrokes of a fast typist; less would measure a queue of our own
  const socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/socket", "workshop.v1");
  socket.binaryType = "arraybuffer";
  const next = (type: "open" | "message") =>
    new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no "${type}"`)), limitMs);
      socket.addEventListener(type, () => {
        clearTimeout(timer);
        resolve();
      }, { once: true });
    });
  await next("open");
  const ending = new AbortController();
  let loaded = 0;
  const started = Promise.withResolvers<void>();
  const run = async () => {
    while (load && !ending.signal.aborted) {
      const { signal } = ending;
      const response = await fetch("/download/20mb.bin", { cache: "no-store", signal });
      for await (const bytes of response.body!) {
        loaded += bytes.length;
        started.resolve();
      }
    }
    started.resolve();
  };
  const running = run().catch(() => started.resolve()); // the abort below; a lack of load is seen by its count
  await started.promise;
  const before = loaded;
  const times: number[] = [];
  while (times.length < count) {
    const start = performance.now();
    const echoed = next("message");
    socket.send(new Uint8Array(16));
    await echoed;
    times.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  ending.abort();
  await running;
  socket.close();
  return { times, loaded: loaded - before };
}
