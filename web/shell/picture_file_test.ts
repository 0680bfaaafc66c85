/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { fileName } from "./picture_file.ts";

const AT = new Date(2026, 4, 4, 13, 5, 9);

Deno.test("files are named by camera and time, in a way that no system minds", () => {
  assert.equal(
    fileName("Front gate", { at: AT, ending: "jpg" }),
    "Front gate 2026-05-04 13.05.09.jpg",
  );
  assert.equal(fileName("../a:b\\c?", { at: AT, ending: "mp4" }), "a b c 2026-05-04 13.05.09.mp4");
  assert.equal(fileName("Küche 庭", { at: AT, ending: "jpg" }), "Küche 庭 2026-05-04 13.05.09.jpg");
  assert.equal(fileName("///", { at: AT, ending: "jpg" }), "camera 2026-05-04 13.05.09.jpg");
});
