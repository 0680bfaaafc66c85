/// <reference lib="deno.ns" />
/** Naming of content origins. Frames and their messages need a browser: `tests/e2e/content_test.ts`. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { contentOrigin } from "./content.ts";

const DEVICE = Uint8Array.from({ length: 16 }, (_, index) => index);
const DEMO = "http://*.porthole.localhost:8080";

Deno.test("contentOrigin() is the domain string, the device and the service, hashed", async () => {
  const hash = createHash("sha256").update("porthole/origin/v1").update(DEVICE).update("ui")
    .digest();
  const bits = [...hash].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const digits = bits.match(/.{5}/g)!.slice(0, 26); // 256 bits hold 51 groups of five
  const label = digits.map((digit) => "abcdefghijklmnopqrstuvwxyz234567"[parseInt(digit, 2)]).join(
    "",
  );
  assert.equal(await contentOrigin(DEMO, DEVICE, "ui"), `http://${label}.porthole.localhost:8080`);
});

Deno.test("contentOrigin() differs for each device and each service", async () => {
  const other = DEVICE.with(0, 255);
  const origins = await Promise.all([
    contentOrigin(DEMO, DEVICE, "ui"),
    contentOrigin(DEMO, DEVICE, "ui2"),
    contentOrigin(DEMO, other, "ui"),
  ]);
  assert.equal(new Set(origins).size, 3);
  assert.equal(
    await contentOrigin("https://*.c.example", DEVICE, "ui").then((o) => o.slice(-10)),
    ".c.example",
  );
});

Deno.test("contentOrigin() refuses a pattern without one star, and what is no device id", async () => {
  await assert.rejects(contentOrigin("https://c.example", DEVICE, "ui"), TypeError);
  await assert.rejects(contentOrigin("https://*.*.example", DEVICE, "ui"), TypeError);
  await assert.rejects(contentOrigin(DEMO, DEVICE.slice(1), "ui"), RangeError);
});
