import { check, json, once, openSocket, text, until } from "./harness.js";
import { settled } from "./flow.js";

await check("first byte before last", async () => {
  const reader = (await fetch("/first")).body.pipeThrough(new TextDecoderStream()).getReader();
  const first = (await reader.read()).value;
  await fetch("/go");
  return [first, (await reader.read()).value];
});

const reader = (await fetch("/endless?name=plain")).body.getReader();
await reader.read();
const chunked = (await fetch("/endless?name=chunked&chunked=1")).body.getReader();
await chunked.read();

await check("paused", () => settled("plain"));
await check("paused chunks", () => settled("chunked"));
await check("others meanwhile", async () => {
  let answers = 0;
  let echoes = 0;
  const socket = await openSocket("/echo");
  for (let n = 0; n < 20; n++) {
    if (await text("/short") === "short") answers++;
    socket.send(String(n));
    if ((await once(socket, "message")).data === String(n)) echoes++;
  }
  socket.close();
  return [answers, echoes];
});
await check("still paused", async () => (await settled("plain")).blocks);
await check("goes on", async () => {
  const { taken } = await json("/stream?name=plain");
  for (let read = 0; read < 8_000_000;) read += (await reader.read()).value.length;
  return (await until("/stream?name=plain", (now) => now.taken > taken + 4_000_000)).isOpen;
});
await check("given up", async () => {
  await reader.cancel();
  await chunked.cancel();
  await until("/stream?name=chunked", ({ isOpen }) => !isOpen);
  return (await until("/stream?name=plain", ({ isOpen }) => !isOpen)).isOpen;
});
