import assert from "node:assert/strict";
import { contentLabel } from "./content_label.ts";

const DEVICE = new Uint8Array(16).fill(1);

Deno.test("content label is this for this device and service, and fits a host name", async () => {
  const label = await contentLabel(DEVICE, "ui");
  assert.match(label, /^[a-z2-7]{26}$/);
  assert.equal(label, await contentLabel(DEVICE, "ui"));
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
