import { all, check, frame } from "./harness.js";

const response = await fetch("/headers");
const NAMES = [
  "link",
  "x-case",
  "x-latin",
  "x-empty",
  "x-padded",
  "x-comma",
  "x-quoted",
  "server",
  "date",
  "refresh",
  "content-language",
  "content-location",
  "content-length",
  "content-type",
  "cache-control",
  "warning",
  "x-powered-by",
  "set-cookie",
  "alt-svc",
  "clear-site-data",
  "strict-transport-security",
  "connection",
];

function asked() {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("GET", "/headers");
    request.onload = () => resolve(request);
    request.onerror = reject;
    request.send();
  });
}

async function inFrame(type) {
  const { contentDocument } = await frame(`/type/x?type=${encodeURIComponent(type)}`);
  const { contentType, characterSet } = contentDocument;
  const text = contentDocument.querySelector("#p")?.textContent ?? null;
  return [contentType, characterSet, contentType === "text/plain" ? null : text];
}

for (const name of NAMES) await check(name, () => response.headers.get(name));
await all({
  "status": () => [response.status, response.ok, response.type, response.redirected, response.url],
  "reason": () => response.statusText,
  "all by XHR": async () => {
    const lines = (await asked()).getAllResponseHeaders().trim().split("\r\n");
    const apart = /^(?:alt-svc|strict-transport|clear-site|x-latin)/; // observed by themselves
    return lines.filter((line) => !apart.test(line)).sort();
  },
  "URL by XHR": async () => (await asked()).responseURL,
  "document.cookie": () => /conf4\w=[^;]*/.exec(document.cookie)?.[0],
  "HTML": () => inFrame("text/html"),
  "HTML in Latin-1": () => inFrame("text/html; charset=iso-8859-1"),
  "XHTML": () => inFrame("application/xhtml+xml"),
  "no type": () => inFrame(""),
  "plain text": () => inFrame("text/plain; charset=utf-8"),
  "folded line": async () => (await fetch("/folded")).headers.get("x-folded"),
  "no reason": async () => (await fetch("/no-reason")).statusText,
  "HTTP/1.0 with bare line feeds": async () => {
    const old = await fetch("/http-1.0");
    return [old.status, await old.text()];
  },
});
