import { all, check, isFirefox, json, PAUSE_MS, sha256, sleep } from "./harness.js";
import { settled } from "./flow.js";

const { length, sha256: whole, pausedLength, pausedSha256 } = await json("/wanted");

async function rest(reader, first) {
  const parts = [first];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return await new Blob(parts).arrayBuffer();
    parts.push(value);
  }
}

await check("first byte before last", async () => {
  const reader = (await fetch("/first")).body.pipeThrough(new TextDecoderStream()).getReader();
  const first = (await reader.read()).value;
  await fetch("/go");
  return [first, (await reader.read()).value];
});

await all({
  "whole": async () => {
    const response = await fetch(`/file?name=whole&length=${length}`);
    const data = await response.arrayBuffer();
    return [data.byteLength, await sha256(data) === whole];
  },
  "length is told": async () => {
    const response = await fetch(`/file?name=told&length=1000`);
    return response.headers.get("content-length");
  },
});

const reader = (await fetch(`/file?name=paused&length=${pausedLength}`)).body.getReader();
const first = (await reader.read()).value;
// Firefox reads on beside the device too, whatever the page does.
if (!isFirefox) await check("paused", () => settled("paused"));
await sleep(PAUSE_MS);
await check("goes on after the pause", async () => {
  const data = await rest(reader, first);
  return [data.byteLength, await sha256(data) === pausedSha256];
});
