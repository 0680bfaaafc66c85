/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { hideAnswer, showAnswer } from "./sync_answer.ts";

function shown(body: string | Uint8Array<ArrayBuffer>, headers: [string, string][], type = "") {
  const request = new EventTarget() as XMLHttpRequest;
  const events: string[] = [];
  for (const name of ["readystatechange", "load", "loadend", "error"]) {
    request.addEventListener(name, () => events.push(`${name} ${request.readyState}`));
  }
  const head = { status: 409, statusText: "Conflict", url: "https://x/a#b", headers };
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  showAnswer(request, { head, body: bytes, type });
  return { request, events };
}

Deno.test("a synchronous answer has its status, headers, text and events", () => {
  const { request, events } = shown("grüß", [["content-type", "text/plain"], ["x-id", "7"], [
    "x-id",
    "8",
  ]]);
  assert.deepEqual([request.status, request.statusText, request.readyState], [409, "Conflict", 4]);
  assert.equal(request.responseText, "grüß");
  assert.equal(request.response, "grüß");
  assert.equal(request.responseURL, "https://x/a");
  assert.equal(request.responseXML, null);
  assert.equal(request.getResponseHeader("X-Id"), "7, 8");
  assert.equal(request.getResponseHeader("y"), null);
  assert.equal(
    request.getAllResponseHeaders(),
    "content-type: text/plain\r\nx-id: 7\r\nx-id: 8\r\n",
  );
  assert.deepEqual(events, ["readystatechange 4", "load 4", "loadend 4"]);
});

Deno.test("a synchronous answer is read in its own encoding, or in the one that the page says", () => {
  const latin = new Uint8Array([0xe4]);
  const type: [string, string][] = [["content-type", "text/plain; charset=ISO-8859-1"]];
  assert.equal(shown(latin, type).request.responseText, "ä");
  assert.equal(shown(latin, type, "text/plain; charset=koi8-r").request.responseText, "Д");
  assert.equal(
    shown("ä", [["content-type", "text/plain; charset=nonsense"]]).request.responseText,
    "ä",
  );
});

Deno.test("a request that is opened again shows nothing of its last answer", () => {
  const { request } = shown("x", [["content-type", "text/plain"]]);
  hideAnswer(request);
  assert.equal(request.status, undefined);
  assert.equal(request.getResponseHeader, undefined);
});
