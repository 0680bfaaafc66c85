import { all, sha256, text } from "./harness.js";

const CODINGS = ["best", "gzip", "deflate", "br", "identity"];
const FRAMINGS = ["length", "chunked", "close"];

const pairs = CODINGS.flatMap((coding) => FRAMINGS.map((framing) => [coding, framing]));

await all({
  ...Object.fromEntries(pairs.map(([coding, framing]) => [
    `${coding} ${framing}`,
    async () => (await text(`/body/${coding}/${framing}`)).length,
  ])),
  ...Object.fromEntries(pairs.map(([coding, framing]) => [
    `${coding} ${framing} by XHR`,
    () => byXhr(`/body/${coding}/${framing}`),
  ])),
  "digest": async () => sha256(await text("/body/gzip/chunked")),
  "chunk extensions and trailers": () => text("/chunk-extensions"),
  "empty gzip": () => text("/empty/gzip"),
  "HEAD of gzip": async () => {
    const response = await fetch("/body/gzip/length", { method: "HEAD" });
    return [response.status, response.headers.get("content-type")];
  },
  "first before last": async () => {
    const response = await fetch("/lock-step/plain");
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const first = (await reader.read()).value;
    await fetch("/go/lock-step/plain");
    const last = (await reader.read()).value;
    return [first, last, (await reader.read()).done];
  },
});

function byXhr(path) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("GET", path);
    request.onload = () => resolve(request.responseText.length);
    request.onerror = () => reject(new DOMException("", "NetworkError"));
    request.send();
  });
}
