import { check, until } from "./harness.js";

const BYTES = 20_000_000;
const untilThird = () => until("/progress", ({ received }) => received >= 0.3 * BYTES);
const untilOver = () => until("/progress", ({ over }) => over !== "no");

await check("XHR", async () => {
  const request = new XMLHttpRequest();
  request.open("POST", "/upload");
  const ended = new Promise((resolve) => {
    for (const type of ["load", "error", "abort"]) {
      request.addEventListener(type, () => resolve(type));
    }
  });
  request.send(new Blob([new Uint8Array(BYTES)]));
  await untilThird();
  request.abort();
  return [await ended, (await untilOver()).over];
}, 20_000);

await check("fetch", async () => {
  const stop = new AbortController();
  const body = new Blob([new Uint8Array(BYTES)]);
  const ended = fetch("/upload", { method: "POST", body, signal: stop.signal });
  const name = ended.then(() => "whole", (error) => error.name);
  await untilThird();
  stop.abort();
  return [await name, (await untilOver()).over];
}, 20_000);
