import { deepEqual, throws } from "node:assert/strict";
import { splitCommand } from "./command_line.ts";

Deno.test("a command line is split at spaces outside quotes", () => {
  const table: readonly (readonly [string, readonly string[]])[] = [
    ["rpicam-vid -t 0  --inline -o -", ["rpicam-vid", "-t", "0", "--inline", "-o", "-"]],
    [` a "b c" 'd "e"' f\\ g `, ["a", "b c", 'd "e"', "f g"]],
    [`x --text="a \\"b\\""'c'd ""`, ["x", '--text=a "b"cd', ""]],
    ["echo $HOME | cat; ls *", ["echo", "$HOME", "|", "cat;", "ls", "*"]],
  ];
  for (const [text, words] of table) deepEqual(splitCommand(text), words, text);
});

Deno.test("an open quote, an empty line and oversize are refused", () => {
  for (
    const text of ["", "  ", 'a "b', "a 'b", "a \\", "a\0b", "x ".repeat(300), "x".repeat(5000)]
  ) {
    throws(() => splitCommand(text), TypeError, text.slice(0, 9));
  }
});
