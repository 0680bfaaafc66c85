import assert from "node:assert/strict";
import { type KeyPath, lineOf } from "./config_lines.ts";

const TEXT = `name = "Gate" # 1
"state" = '/s'

[log]
level = "info" # 5

[[service]]
id = "ui"
target = "http://h" # 9
motd = """
id = "not a key"
""" # 12
[[ service ]] # 13
id = "other"
extra.deep = 1 # 15
[[camera]]
  source = "rtsp://h" # 17
`;

Deno.test("lines of keys, tables and elements of arrays of tables are found", () => {
  const cases: readonly (readonly [KeyPath, number])[] = [
    [["name"], 1],
    [["state"], 2],
    [["log"], 4],
    [["log", "level"], 5],
    [["service", 0], 7],
    [["service", 0, "id"], 8],
    [["service", 0, "target"], 9],
    [["service", 1], 13],
    [["service", 1, "id"], 14],
    [["service", 1, "extra", "deep"], 15],
    [["camera", 0, "source"], 17],
  ];
  for (const [path, line] of cases) assert.equal(lineOf(TEXT, path), line, path.join("."));
});

Deno.test("a value that has no line of its own is found by what is around it", () => {
  assert.equal(lineOf(TEXT, ["service", 1, "target"]), 13);
  assert.equal(lineOf(TEXT, ["absent"]), 1);
  assert.equal(lineOf('a = 1\nservice = [{ id = "x" }]', ["service", 0, "id"]), 2);
});
