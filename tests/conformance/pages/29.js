import { check, once, openSocket } from "./harness.js";

const reader = (await fetch("/download")).body.getReader();
let read = 0;
let ended = false;
const download = (async () => {
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return ended = true;
    read += value.length;
  }
})();
const socket = await openSocket("/echo");
const times = [];

await check("echoes", async () => {
  for (let n = 0; n < 30; n++) {
    const begun = performance.now();
    socket.send("k");
    await once(socket, "message");
    times.push(performance.now() - begun);
  }
  return ended ? "the download was over" : times.length;
});
await check("download", async () => {
  await fetch("/over");
  return [await download, read > 1_000_000];
});
times.sort((one, other) => one - other);
Object.assign(globalThis.conformance.measured, { medianMs: times[15], p95Ms: times[28], read });
