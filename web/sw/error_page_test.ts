/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { STREAM_CODES, type StreamCode } from "../../src/protocol/errors.ts";
import { errorResponse, type Failure } from "./error_page.ts";

const REQUEST = { title: "Pump", navigation: true, method: "GET", shellOrigin: "https://shell" };

Deno.test("errorResponse() has a status, a reason and a remedy for every code", async () => {
  const codes = Object.keys(STREAM_CODES) as StreamCode[];
  const failures: Failure[] = [...codes, "no_bridge", "body_too_large", "unknown_coding"];
  for (const failure of failures) {
    const response = errorResponse(failure, { ...REQUEST, navigation: false });
    assert.ok(response.status >= 403 && response.status <= 504, failure);
    const text = await response.text();
    assert.match(text, /^Pump: [A-Z][^.]+\. .+\n$/s, failure);
    assert.equal(response.headers.get("x-porthole-error"), failure);
    assert.equal(response.headers.get("content-type"), "text/plain; charset=utf-8");
  }
});

Deno.test("errorResponse() escapes the service's name and runs no script", async () => {
  const title = `<img src=x onerror="alert('1')">`;
  const response = errorResponse("upstream_timeout", { ...REQUEST, title });
  const html = await response.text();
  assert.equal(response.status, 504);
  assert.ok(!html.includes("<img"));
  assert.match(response.headers.get("content-security-policy") ?? "", /^default-src 'none'/);
});

Deno.test("errorResponse() tells a guest who may only look that the service itself is well", async () => {
  const response = errorResponse("not_allowed", { ...REQUEST, method: "POST" });
  assert.equal(response.status, 403);
  const html = await response.text();
  assert.match(html, /<h1>Pump is lent for looking only<\/h1>/);
  assert.doesNotMatch(html, /not available/);
});

Deno.test("errorResponse() tries again by itself only what may be repeated and may pass", async () => {
  const retries = async (failure: Failure, method: string) =>
    (await errorResponse(failure, { ...REQUEST, method }).text()).includes("http-equiv");
  assert.equal(await retries("no_bridge", "GET"), true);
  assert.equal(await retries("no_bridge", "POST"), false);
  assert.equal(await retries("upstream_tls", "GET"), false);
});
