import assert from "node:assert/strict";
import { contentLabel } from "./content_label.ts";

const DEVICE = new Uint8Array(16).fill(1);

Deno.test("content label is this for this device and service", async () => {
  // Python: b32encode(sha256(b"porthole/origin/v1" + bytes([1] * 16) + b"ui").digest())[:26].lower()
  assert.equal(await contentLabel(DEVICE, "ui"), "c72fjcowtxt47qnsgp3ihvhbib");
});

Deno.test("content labels differ by device and by service", async () => {
  const labels = await Promise.all([
    contentLabel(DEVICE, "ui"),
    contentLabel(DEVICE, "ui2"),
    contentLabel(new Uint8Array(16).fill(2), "ui"),
  ]);
  assert.equal(new Set(labels).size, 3);
});

Deno.test("content label refuses a device id of another length", async () => {
  await assert.rejects(contentLabel(DEVICE.slice(1), "ui"), RangeError);
});
