/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { URGENCY_HEADER } from "../../src/protocol/urgency.ts";
import { urgencyOfRequest, withUrgency } from "./urgency.ts";

function of(destination: string, { mode = "no-cors", accept = "*/*", page = "a page" } = {}) {
  const headers = new Headers({ accept });
  return urgencyOfRequest({ destination, mode, headers }, page);
}

Deno.test("a request's class is what the browser wants it for", () => {
  assert.equal(of("document", { mode: "navigate", page: "" }), "page");
  assert.equal(of("iframe", { mode: "navigate" }), "page");
  for (const destination of ["script", "style", "font", "worker"]) {
    assert.equal(of(destination), "page");
  }
  assert.equal(of("", { mode: "cors" }), "fetch");
  assert.equal(of("", { mode: "cors", accept: "text/event-stream" }), "live");
  assert.equal(of("manifest"), "fetch");
  assert.equal(of("image"), "image");
  assert.equal(of("video"), "bulk");
  assert.equal(of("", { mode: "cors", page: "" }), "bulk"); // a download link's file
});

Deno.test("the class goes with the head, behind the headers of the page", () => {
  const head = { kind: "http", method: "GET", path: "/", headers: [["a", "b"]] } as const;
  const request = { destination: "image", mode: "no-cors", headers: new Headers() };
  assert.deepEqual(withUrgency(head, request, "page").headers, [
    ["a", "b"],
    [URGENCY_HEADER, "image"],
  ]);
});
