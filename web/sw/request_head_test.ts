/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { type PageRequest, rawPath, requestHead } from "./request_head.ts";

const BROWSER = { userAgent: "Browser/1", languages: ["de-DE", "de", "en"] };

function head(request: Partial<PageRequest>, bodyLength?: number) {
  const { headers, ...rest } = requestHead({
    url: "https://x.example/",
    method: "GET",
    mode: "cors",
    cache: "default",
    credentials: "same-origin",
    referrer: "",
    headers: [],
    ...request,
  }, { browser: BROWSER, bodyLength });
  return { ...rest, headers: Object.fromEntries(headers) };
}

Deno.test("rawPath() keeps every byte of path and query and drops the fragment", () => {
  const paths = ["/", "/a//b", "/%2F%2f", "/?", "/?a=1&a=2&b=+", "/x?y#z?q", "/a;b|c^d"];
  for (const path of paths) {
    const { href, origin } = new URL(`https://x.example:8443${path}`);
    assert.equal(rawPath(href, origin), path.split("#")[0]);
  }
});

Deno.test("requestHead() adds what the browser would have added on the network", () => {
  assert.deepEqual(head({ headers: [["accept", "*/*"]], referrer: "https://x.example/page" }), {
    kind: "http",
    method: "GET",
    path: "/",
    headers: {
      "accept": "*/*",
      "user-agent": "Browser/1",
      "accept-language": "de-DE,de;q=0.9,en;q=0.8",
      "accept-encoding": "gzip, deflate",
      "referer": "https://x.example/page",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "x.example",
    },
  });
});

Deno.test("requestHead() tells the agent of a request without credentials, and a page cannot", () => {
  assert.equal(head({ credentials: "omit" }).headers["x-porthole-credentials"], "omit");
  const forged: [string, string][] = [["x-porthole-credentials", "omit"]];
  assert.equal(head({ headers: forged }).headers["x-porthole-credentials"], undefined);
});

Deno.test("requestHead() tells the device of no page but its own", () => {
  const referer = (referrer: string) => head({ mode: "navigate", referrer }).headers.referer;
  assert.equal(referer("https://x.example/page"), "https://x.example/page");
  assert.equal(referer("https://x.example/.porthole/door"), undefined);
  assert.equal(referer("https://porthole.example/"), undefined);
});

Deno.test("requestHead() lets a page's own headers stand, but not those that are ours", () => {
  const { headers } = head({
    headers: [
      ["accept-language", "fr"],
      ["content-length", "9"],
      ["host", "evil"],
      ["origin", "https://evil"],
      ["x-forwarded-host", "evil"],
    ],
  });
  assert.equal(headers["accept-language"], "fr");
  assert.equal(headers["content-length"], undefined);
  assert.equal(headers["host"], undefined);
  assert.equal(headers["origin"], undefined);
  assert.equal(headers["x-forwarded-host"], "x.example");
});

Deno.test("requestHead() names the origin of what may change something, and the foreign one of a navigation", () => {
  const post = { method: "POST" };
  assert.equal(head(post).headers.origin, "https://x.example");
  const foreign = { ...post, mode: "navigate", referrer: "https://evil.example/" };
  assert.equal(head(foreign).headers.origin, "https://evil.example");
  assert.equal(head({ ...post, mode: "navigate" }).headers.origin, "null");
  assert.equal(
    head({ ...post, mode: "navigate", referrer: "about:client" }).headers.referer,
    undefined,
  );
});

Deno.test("requestHead() asks for ranges of the plain body, states a known length, and passes the cache mode on", () => {
  assert.equal(head({ headers: [["range", "bytes=0-"]] }).headers["accept-encoding"], "identity");
  assert.equal(head({ method: "POST" }, 0).headers["content-length"], "0");
  assert.equal(head({ cache: "reload" }).headers["cache-control"], "no-cache");
  assert.equal(head({ cache: "no-cache" }).headers["cache-control"], "max-age=0");
});
