/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { UploadEvents } from "./upload_events.ts";

function bench(browserTellsEnd: boolean) {
  const upload = new EventTarget();
  const seen: string[] = [];
  for (const type of ["progress", "load", "loadend"]) {
    upload.addEventListener(type, (event) => {
      const { loaded, total, lengthComputable } = event as ProgressEvent;
      seen.push(`${type} ${loaded}/${lengthComputable ? total : "?"}`);
    });
  }
  const events = new UploadEvents({ upload }, { browserTellsEnd });
  const begin = (total: number) =>
    upload.dispatchEvent(new ProgressEvent("loadstart", { lengthComputable: true, total }));
  return { events, seen, begin };
}

Deno.test("an upload tells how far it is and that all has left, once", () => {
  const { events, seen, begin } = bench(false);
  begin(100);
  events.sent(40, false);
  events.sent(40, false);
  events.sent(100, true);
  events.sent(100, true);
  events.answered();
  assert.deepEqual(seen, [
    "progress 40/100",
    "progress 100/100",
    "load 100/100",
    "loadend 100/100",
  ]);
});

Deno.test("an answer that overtakes the last word ends the upload", () => {
  const { events, seen, begin } = bench(false);
  begin(100);
  events.sent(40, false);
  events.answered();
  events.sent(100, true);
  assert.deepEqual(seen, [
    "progress 40/100",
    "progress 100/100",
    "load 100/100",
    "loadend 100/100",
  ]);
});

Deno.test("where the browser tells of the end itself, only the way there is told", () => {
  const { events, seen, begin } = bench(true);
  begin(100);
  events.sent(40, false);
  events.sent(100, true);
  assert.deepEqual(seen, ["progress 40/100", "progress 100/100"]);
});

Deno.test("a body of unknown length has no total", () => {
  const { events, seen } = bench(false);
  events.sent(40, false);
  events.sent(60, true);
  assert.deepEqual(seen, ["progress 40/?", "progress 60/?", "load 60/?", "loadend 60/?"]);
});
