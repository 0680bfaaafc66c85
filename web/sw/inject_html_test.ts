/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { concat, utf8 } from "../../src/lib/bytes.ts";
import { findPlace, injectStream, injectTag, isUntyped, mayInject } from "./inject_html.ts";

const TAG = injectTag();
const BOM = new Uint8Array([0xef, 0xbb, 0xbf]);

/** Pages with "|" where the tag belongs. */
const PAGES = [
  "<!doctype html>|<html lang=de><head><title>x</title>",
  "<!DOCTYPE html PUBLIC '-//W3C//DTD HTML 4.01//EN'>|\n<html>",
  "\n <!-- a --> <!-- b > -->\n<!DocType html>|<p>",
  "|<html><p>no doctype",
  "|text only",
  "<!-- only a comment -->|<p>",
  "|<!doctypo",
  "|<",
  "  |<!-",
];

async function run(chunks: Uint8Array[]): Promise<Uint8Array> {
  const source = ReadableStream.from(chunks).pipeThrough(injectStream(TAG));
  return new Uint8Array(await new Response(source).arrayBuffer());
}

Deno.test("injectStream() puts the tag behind the doctype, wherever the page is cut", async () => {
  for (const marked of PAGES) {
    const page = utf8(marked.replace("|", ""));
    const expected = utf8(marked.replace("|", TAG));
    assert.deepEqual(await run([page]), expected);
    assert.deepEqual(await run([...page].map((byte) => Uint8Array.of(byte))), expected, marked);
    for (let cut = 1; cut < page.length; cut++) {
      assert.deepEqual(await run([page.subarray(0, cut), page.subarray(cut)]), expected);
    }
  }
});

Deno.test("injectStream() keeps a byte order mark in front, and leaves UTF-16 and an empty page alone", async () => {
  const page = utf8("<!doctype html><p>");
  const expected = concat(BOM, utf8(`<!doctype html>${TAG}<p>`));
  assert.deepEqual(await run([concat(BOM, page)]), expected);
  for (const wide of [[0xff, 0xfe, 0x3c, 0], [0xfe, 0xff, 0, 0x3c], [0x3c, 0], [0, 0x3c]]) {
    assert.deepEqual(await run([new Uint8Array(wide)]), new Uint8Array(wide));
  }
  assert.deepEqual(await run([]), new Uint8Array(0));
});

Deno.test("injectStream() looks no further than 1 KiB, in time that grows with the length only", () => {
  const blanks = utf8(" ".repeat(5000));
  assert.equal(findPlace(blanks.subarray(0, 1000), false), undefined);
  assert.equal(findPlace(blanks, false), 1024);
  const comments = utf8("<!---->".repeat(147) + "<!--");
  assert.equal(typeof findPlace(comments, false), "number");
});

Deno.test("mayInject() takes HTML in encodings that write ASCII as ASCII", () => {
  assert.equal(mayInject("text/html"), true);
  assert.equal(mayInject("Text/HTML; charset=iso-8859-1"), true);
  assert.equal(mayInject('text/html; charset="UTF-16LE"'), false);
  assert.equal(mayInject("application/xhtml+xml"), false);
  assert.equal(mayInject(""), false);
});

Deno.test("injectTag() holds an isolated page's own scripts back until its worker runs", () => {
  assert.equal(
    injectTag({ nonce: "N", isolated: true }),
    `<script src="/.porthole/inject.js" nonce="N" data-isolated></script>` +
      `<script src="/.porthole/inject.js?ready" nonce="N"></script>`,
  );
});

Deno.test("a page without a type gets the tag if browsers would take it for HTML, else nothing", async () => {
  const guessed = async (text: string) =>
    await new Response(new Response(text).body!.pipeThrough(injectStream(TAG, true))).text();
  for (
    const html of ["<!DOCTYPE HTML><p>", "\n\n<html>", "<Head><title>", "<!-- x --><p>", "<b>x"]
  ) {
    assert.ok((await guessed(html)).includes(TAG), html);
  }
  for (
    const other of ["plain text", '{"a": "<html>"}', "<?xml version='1.0'?><a/>", "<bold>", ""]
  ) {
    assert.equal(await guessed(other), other);
  }
});

Deno.test("isUntyped() takes for untyped what browsers do", () => {
  for (const type of ["", " ", "application/unknown", "unknown/unknown; a=b", "*/*"]) {
    assert.equal(isUntyped(type), true, type);
  }
  for (const type of ["text/html", "text/plain", "application/unknown+xml", "a"]) {
    assert.equal(isUntyped(type), false, type);
  }
});
