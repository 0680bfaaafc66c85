import assert from "node:assert/strict";
import fc from "fast-check";
import { configureLog, createLog, type LogLevel } from "./log_sink.ts";

/** Control characters, separators and marks of direction. */
const ACTED_UPON = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e]/u;

/** Lines that `act` writes. */
function linesOf(
  act: () => void,
  options: { format?: "json" | "text"; level?: LogLevel } = {},
): string[] {
  const lines: string[] = [];
  const { format = "json", level = "debug" } = options;
  configureLog({ format, level, write: (line) => void lines.push(line) });
  act();
  return lines;
}

Deno.test("an event becomes one JSON line with time, level, part, event and fields", () => {
  const [line] = linesOf(() =>
    createLog("camera").warn("camera.lost", { camera: "front", tries: 3 })
  );
  const { time, ...rest } = JSON.parse(line!);
  assert.match(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.deepEqual(rest, {
    level: "warn",
    part: "camera",
    event: "camera.lost",
    camera: "front",
    tries: 3,
  });
});

Deno.test("an event for a terminal is one line of text with quoted values", () => {
  const [line] = linesOf(
    () => createLog("agent").info("session.closed", { reason: "gone away", id: "a1", odd: "" }),
    { format: "text" },
  );
  assert.match(
    line!,
    /^[\d:.]{12} info {2}agent: session\.closed reason="gone away" id=a1 odd=""\n$/,
  );
});

Deno.test("events below the level are left out", () => {
  const act = () => {
    const log = createLog("agent");
    log.debug("a");
    log.info("b");
    log.warn("c");
    log.error("d");
  };
  assert.deepEqual(linesOf(act, { level: "warn" }).map((line) => JSON.parse(line).event), [
    "c",
    "d",
  ]);
});

Deno.test("secrets in fields are hidden", () => {
  const [line] = linesOf(() =>
    createLog("camera").info("camera.open", {
      source: "rtsp://admin:hunter2@10.0.0.9/1",
      key: "k".repeat(43),
    })
  );
  assert.doesNotMatch(line!, /hunter2|admin|kkkk/);
  assert.match(line!, /rtsp:\/\/\*\*\*@10\.0\.0\.9\/1/);
});

Deno.test("a secret is hidden also where the field is cut", () => {
  const source = `${"x ".repeat(140)} rtsp://u:${"hunter2-".repeat(20)}@h/`;
  const [line] = linesOf(() => createLog("camera").info("camera.open", { source }));
  assert.doesNotMatch(line!, /hunter2/);
});

Deno.test("a long field is cut", () => {
  const [line] = linesOf(() => createLog("agent").info("e", { text: "word ".repeat(10_000) }));
  assert.equal(JSON.parse(line!).text.length, 303);
});

Deno.test("a field cannot take the place of time, level, part or event", () => {
  const [line] = linesOf(() => createLog("agent").info("e", { level: "fake", event: "fake" }));
  const { level, level_, event, event_ } = JSON.parse(line!);
  assert.deepEqual({ level, level_, event, event_ }, {
    level: "info",
    level_: "fake",
    event: "e",
    event_: "fake",
  });
});

Deno.test("hostile names make one line without control characters, in both formats", () => {
  const hostile = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom(
      'gate\n{"level":"error"}',
      "\u001b[2J\u001b]0;owned\u0007",
      "a\u2028b\u2029c",
      "\u202egnp.exe",
      "\r\n\u0085",
      "{event} {{x}} {",
      "\ud800",
    ),
  );
  for (const format of ["json", "text"] as const) {
    fc.assert(fc.property(hostile, hostile, (event, value) => {
      const lines = linesOf(() => createLog("agent").info(event, { name: value }), { format });
      assert.equal(lines.length, 1);
      const [line] = lines;
      assert.doesNotMatch(line!.slice(0, -1), ACTED_UPON);
      assert.equal(line!.at(-1), "\n");
      if (format === "json") assert.equal(typeof JSON.parse(line!).name, "string");
    }));
  }
});
