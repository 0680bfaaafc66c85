import { all, once, text } from "./harness.js";

const PATHS = [
  "short",
  "short-by-one",
  "short-with-reset",
  "chunks-cut",
  "chunk-cut",
  "bad-chunk",
  "too-much",
  "gzip-cut",
  "gzip-broken",
  "two-lengths",
  "no-answer",
  "no-http",
  "half-head",
];

function byXhr(path) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("GET", path);
    request.onload = () => resolve(request.responseText.length);
    for (const type of ["error", "abort", "timeout"]) request[`on${type}`] = () => resolve(type);
    request.send();
  });
}

/** Browsers give the error of a body different names. */
function anError() {
  return "an error";
}

async function read(path) {
  const reader = (await fetch(path)).body.getReader();
  for (;;) {
    const { done } = await reader.read();
    if (done) return "clean end";
  }
}

await all({
  ...Object.fromEntries(
    PATHS.map((
      path,
    ) => [`${path}, as text`, () => text(`/${path}`).then(({ length }) => length, anError)]),
  ),
  ...Object.fromEntries(PATHS.map((path) => [`${path}, by XHR`, () => byXhr(`/${path}`)])),
  ...Object.fromEntries(
    ["short", "chunks-cut", "gzip-cut"].map((path) => [
      `${path}, read`,
      () => read(`/${path}`).catch(anError),
    ]),
  ),
  "script": async () => {
    const script = document.createElement("script");
    script.src = "/short";
    const over = Promise.race([once(script, "load"), once(script, "error")]);
    document.body.append(script);
    return (await over).type;
  },
});
