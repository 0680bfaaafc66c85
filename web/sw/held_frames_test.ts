/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { utf8 } from "../../src/lib/bytes.ts";
import { holdFrames, holdFramesStream } from "./held_frames.ts";

const CASES: readonly (readonly [html: string, held: string])[] = [
  [`<iframe sandbox src="/x">`, `<iframe sandbox data-porthole-src="/x">`],
  [`<iframe src=/x sandbox>`, `<iframe data-porthole-src=/x sandbox>`],
  [
    `<IFRAME SANDBOX="allow-scripts" SRC='/x'/>`,
    `<IFRAME SANDBOX="allow-scripts" data-porthole-SRC='/x'/>`,
  ],
  [`<iframe sandbox = "" src = "/x" >`, `<iframe sandbox = "" data-porthole-src = "/x" >`],
  [`<iframe title="a > b" sandbox src=x>`, `<iframe title="a > b" sandbox data-porthole-src=x>`],
  [`<iframe sandbox src=a src=b>`, `<iframe sandbox data-porthole-src=a src=b>`],
  [`<p>ü<iframe sandbox src=a></iframe>`, `<p>ü<iframe sandbox data-porthole-src=a></iframe>`],
  [
    `<script>x = '<iframe sandbox="' + y + '" src="' + z + '">'</script>`,
    `<script>x = '<iframe sandbox="' + y + '" data-porthole-src="' + z + '">'</script>`,
  ],
];
const UNTOUCHED: readonly string[] = [
  `<iframe src="/x">`,
  `<iframe sandbox="allow-scripts allow-same-origin" src="/x">`,
  `<iframe sandbox="ALLOW-SAME-ORIGIN" src="/x">`,
  `<iframe sandbox srcdoc="<p>" data-src=x>`,
  `<iframes sandbox src=x>`,
  `<iframe title="sandbox src=x">`,
  `<iframe data-porthole-src="/x" sandbox>`,
  `<iframe sandbox src="/x`,
  `<p>a < b <i>x</i><`,
  "",
];

async function streamed(html: string, size: number): Promise<string> {
  const bytes = utf8(html);
  const parts = Array.from(
    { length: Math.ceil(bytes.length / size) },
    (_, part) => bytes.slice(part * size, (part + 1) * size),
  );
  return await new Response(ReadableStream.from(parts).pipeThrough(holdFramesStream())).text();
}

Deno.test("the address of a frame without an origin is held, and nothing else changes", () => {
  for (const [html, held] of CASES) assert.equal(holdFrames(html), held);
  for (const [, held] of CASES.slice(0, 5)) assert.equal(holdFrames(held), held, "twice is once");
  for (const html of UNTOUCHED) assert.equal(holdFrames(html), html);
  const [[first], [second]] = [CASES[0]!, CASES[1]!];
  assert.equal(holdFrames(first + second), holdFrames(first) + holdFrames(second));
});

Deno.test("however the bytes arrive, the same is held", async () => {
  const html = [...CASES.map(([html]) => html), ...UNTOUCHED].join("\n<p>between</p>");
  for (const size of [1, 2, 3, 7, 64, 4096]) {
    assert.equal(await streamed(html, size), holdFrames(html));
  }
});

Deno.test("a tag without an end is passed on, and costs bounded memory", async () => {
  const html = `<iframe sandbox title="${"x".repeat(300_000)}`;
  assert.equal(await streamed(html, 16 << 10), html);
  const many = "<iframe sandbox ".repeat(20_000);
  assert.equal(await streamed(many, 64 << 10), many);
});
