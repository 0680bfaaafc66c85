/**
 * Streams as pages see them: uploads with their events, given up on either side, answered before their end; the first byte
 * of an answer before the last is sent; many requests to a device that serves two at a time. Each device waits for a step
 * of the test, so that nothing here is decided by time.
 */
import assert from "node:assert/strict";
import { browserMissing, type BrowserName, PagesBench } from "./pages_bench.ts";
import { page } from "./pages_service.ts";
import {
  GatedUpload,
  inTwoParts,
  NarrowDevice,
  SilentAnswer,
  Step,
  TooLarge,
} from "./streams_device.ts";

/** More than all that lies between a page and a device can hold: windows, queues, and what the kernel takes. */
const UPLOAD_BYTES = 16_000_000;
const READ_FIRST_BYTES = 500_000;
const PARALLEL = 64;

/** Uploads by XMLHttpRequest; `seen` are the events of `xhr.upload` and of itself, each kind once in a row. */
const XHR = `
const seen = [];
const xhr = new XMLHttpRequest();
const note = (where) => ({ type, loaded, total }) => {
  const name = where + type;
  if (seen.at(-1)?.name !== name) seen.push({ name, loaded, total, backwards: false });
  else Object.assign(seen.at(-1), { backwards: seen.at(-1).backwards || loaded < seen.at(-1).loaded, loaded });
};
for (const type of ["loadstart", "progress", "load", "loadend", "abort", "error"]) {
  xhr.upload.addEventListener(type, note("upload "));
  if (type !== "progress") xhr.addEventListener(type, note(""));
}
const moving = new Promise((resolve) => {
  xhr.upload.onprogress = ({ loaded, total }) => loaded > 0 && loaded < total && resolve([loaded, total]);
});
const over = new Promise((resolve) => xhr.onloadend = () => setTimeout(resolve, 0));
xhr.open("POST", "/upload");
xhr.send(new Blob([new Uint8Array(${UPLOAD_BYTES})]));
`;

const pageOf = (script: string) => page(`<script type="module">${script}</script>`);

/** Runs what it is given and reports it. */
const SCRIPTS = {
  "/xhr": `${XHR}
    await report("moving", await moving);
    await over;
    report("over", { seen, answer: xhr.responseText });`,
  "/xhr-abort": `${XHR}
    await moving;
    xhr.abort();
    await over;
    report("over", seen.map(({ name }) => name));`,
  "/fetch-abort": `
    const stop = new AbortController();
    const body = new Blob([new Uint8Array(${UPLOAD_BYTES})]);
    const over = fetch("/upload", { method: "POST", body, signal: stop.signal })
      .then(() => "answered", ({ name }) => name);
    await fetch("/began");
    stop.abort();
    report("over", await over);`,
  "/poll-abort": `
    const stop = new AbortController();
    const polls = [fetch("/silent", { signal: stop.signal }).then(() => "answered", ({ name }) => name)];
    const xhr = new XMLHttpRequest();
    polls.push(new Promise((resolve) => xhr.onabort = () => resolve("abort")));
    xhr.open("GET", "/silent-too");
    xhr.send();
    await fetch("/polled");
    stop.abort();
    xhr.abort();
    report("over", await Promise.all(polls));`,
  "/early": `
    const body = new Blob([new Uint8Array(${UPLOAD_BYTES})]);
    const answer = await fetch("/too-large", { method: "POST", body });
    report("over", [answer.status, await answer.text()]);`,
  "/firsts": `
    const reader = (await fetch("/chunks")).body.pipeThrough(new TextDecoderStream()).getReader();
    await report("fetch", (await reader.read()).value);
    const rest = [(await reader.read()).value, (await reader.read()).done];
    const xhr = new XMLHttpRequest();
    const text = () => xhr.responseText;
    const loading = new Promise((resolve) => xhr.onprogress = () => text() !== "" && resolve(text()));
    const loaded = new Promise((resolve) => xhr.onload = () => resolve(text()));
    xhr.open("GET", "/xhr-chunks");
    xhr.send();
    await report("xhr", await loading);
    rest.push(await loaded);
    const source = new EventSource("/events");
    const events = ["first", "last"].map(() => Promise.withResolvers());
    let at = 0;
    source.onmessage = ({ data }) => events[at++]?.resolve(data);
    await report("events", await events[0].promise);
    rest.push(await events[1].promise);
    source.close();
    report("over", rest);`,
  "/many": `
    const one = async (number) => {
      const answer = await fetch("/narrow?" + number, { cache: "no-store" });
      const text = await answer.text();
      return text.length === 20000 && text.startsWith("/narrow?" + number + ".");
    };
    const all = await Promise.allSettled(Array.from({ length: ${PARALLEL} }, (_, at) => one(at)));
    report("over", all.filter(({ value }) => value === true).length);`,
  "/streamed": `
    const first = new TextEncoder().encode("first ");
    let give;
    const body = new ReadableStream({ start: (controller) => give = controller });
    const answer = fetch("/upload", { method: "POST", body, duplex: "half" });
    give.enqueue(first);
    await fetch("/began");
    give.enqueue(new TextEncoder().encode("last"));
    give.close();
    report("over", await (await answer).text());`,
};

interface Noted {
  readonly name: string;
  readonly loaded: number;
  readonly total: number;
  readonly backwards: boolean;
}

for (const name of ["chromium", "firefox"] satisfies BrowserName[]) {
  const lack = await browserMissing(name, "streams");
  Deno.test({
    name: `uploads, first bytes and many requests of a page behave as beside the device in ${name}`,
    ignore: lack !== undefined,
    sanitizeOps: false, // the drivers' own pipes and processes
    sanitizeResources: false,
    async fn(t) {
      const device = {
        upload: new GatedUpload(READ_FIRST_BYTES),
        silent: [new SilentAnswer(), new SilentAnswer()] as const,
        tooLarge: new TooLarge(),
        narrow: new NarrowDevice(2, 5),
        reported: { fetch: new Step(), xhr: new Step(), events: new Step() },
      };
      const { reported } = device;
      const inText = { first: "first ", last: "last" };
      const pages = {
        ...Object.fromEntries(
          Object.entries(SCRIPTS).map(([path, script]) => [path, pageOf(script)]),
        ),
        "/upload": ((...asked) => device.upload.answer(...asked)) as GatedUpload["answer"],
        "/began": ((_request, response) => {
          device.upload.began.taken.then(() => response.end());
        }) as GatedUpload["answer"],
        "/silent": device.silent[0].answer,
        "/silent-too": device.silent[1].answer,
        "/polled": ((_request, response) => {
          Promise.all(device.silent.map(({ began }) => began.taken)).then(() => response.end());
        }) as GatedUpload["answer"],
        "/too-large": device.tooLarge.answer,
        "/narrow": device.narrow.answer,
        "/chunks": inTwoParts("text/plain", { ...inText, release: reported.fetch.taken }),
        "/xhr-chunks": inTwoParts("application/json", { ...inText, release: reported.xhr.taken }),
        "/events": inTwoParts("text/event-stream", {
          first: "data: first\n\n",
          last: "data: last\n\n",
          release: reported.events.taken,
        }),
      };
      await using bench = await PagesBench.start(name, { pages });
      const { service } = bench;
      const open = async (path: string) => {
        service.clear();
        device.upload = new GatedUpload(READ_FIRST_BYTES);
        await bench.tunnel(path);
      };

      await t.step("an upload tells how far it is while the device has not read on", async () => {
        await open("/xhr");
        const [loaded, total] = await service.report<[number, number]>("moving");
        assert.ok(loaded > 0 && loaded < total && total === UPLOAD_BYTES, `${loaded} of ${total}`);
        assert.ok(device.upload.bytes < UPLOAD_BYTES);
        device.upload.goOn.take();
        const { seen, answer } = await service.report<{ seen: Noted[]; answer: string }>("over");
        assert.equal(answer, String(UPLOAD_BYTES));
        assert.deepEqual(seen.map(({ name }) => name), [
          "loadstart",
          "upload loadstart",
          "upload progress",
          "upload load",
          "upload loadend",
          "load",
          "loadend",
        ]);
        assert.ok(seen.every(({ backwards }) => !backwards));
        assert.equal(seen[2]?.loaded, UPLOAD_BYTES);
        assert.deepEqual(await device.upload.ended.taken, { how: "whole", bytes: UPLOAD_BYTES });
      });

      for (const path of ["/xhr-abort", "/fetch-abort"]) {
        await t.step(`${path}: an upload that the page gives up ends at the device`, async () => {
          await open(path);
          const over = await service.report("over");
          assert.deepEqual(
            over,
            path === "/fetch-abort" ? "AbortError" : [
              "loadstart",
              "upload loadstart",
              "upload progress",
              "upload abort",
              "upload loadend",
              "abort",
              "loadend",
            ],
          );
          device.upload.goOn.take();
          assert.equal((await device.upload.ended.taken).how, "broken off");
        });
      }

      await t.step("requests that wait for an answer end at the device when given up", async () => {
        await open("/poll-abort");
        assert.deepEqual(await service.report("over"), ["AbortError", "abort"]);
        await Promise.all(device.silent.map(({ ended }) => ended.taken));
      });

      await t.step("a device that answers before the end of an upload is heard", async () => {
        await open("/early");
        assert.deepEqual(await service.report("over"), [413, "too large"]);
        await device.tooLarge.ended.taken;
      });

      await t.step("a page has the first byte before the device sends the last", async () => {
        await open("/firsts");
        for (const how of ["fetch", "xhr", "events"] as const) {
          assert.match(await service.report<string>(how), /^first ?$/);
          reported[how].take();
        }
        assert.deepEqual(await service.report("over"), ["last", true, "first last", "last"]);
      });

      await t.step(`${PARALLEL} requests to a device that serves two at a time`, async () => {
        await open("/many");
        assert.equal(await service.report("over"), PARALLEL);
        assert.equal(device.narrow.most, 2);
      });

      if (name === "chromium") { // Firefox has no streamed bodies of requests
        await t.step("a body that a page makes on the way arrives as it is made", async () => {
          await open("/streamed");
          assert.equal(await service.report("over"), "10");
        });
      }

      await t.step("nothing of it reached the edge", () => {
        assert.deepEqual(bench.edge.strays, []);
      });
    },
  });
}
