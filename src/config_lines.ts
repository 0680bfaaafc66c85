/**
 * Finds where in a TOML text a value was written, because the TOML parser gives positions only for its own errors. Not a
 * parser: it runs on text that has been parsed already, and where it cannot tell it names the nearest table above.
 */

/** A way down into the parsed document: `["service", 1, "target"]` is `target` of the second `[[service]]`. */
export type KeyPath = readonly (string | number)[];

const KEY_PART = String.raw`(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\])*"|'[^']*')`;
const KEY = String.raw`${KEY_PART}(?:\s*\.\s*${KEY_PART})*`;
const TABLE = new RegExp(String.raw`^\s*(\[\[?)\s*(${KEY})\s*\]`);
const ASSIGNMENT = new RegExp(String.raw`^\s*(${KEY})\s*=`);
const PARTS = new RegExp(KEY_PART, "g");

/** The line, counted from 1, on which the value at `path` stands; else that of the nearest thing around it, else 1. */
export function lineOf(text: string, path: KeyPath): number {
  const places = placesIn(text);
  for (let length = path.length; length > 0; length--) {
    const line = places.get(placeKey(path.slice(0, length)));
    if (line !== undefined) return line;
  }
  return 1;
}

/** Each table header and each assignment of a text, with its line. */
function placesIn(text: string): Map<string, number> {
  const places = new Map<string, number>();
  const counts = new Map<string, number>();
  let table: KeyPath = [];
  let quotes: string | undefined; // what ends the multi-line string that we are in
  for (const [index, line] of text.split("\n").entries()) {
    if (quotes !== undefined) {
      if (line.includes(quotes)) quotes = undefined;
      continue;
    }
    const header = TABLE.exec(line);
    if (header) {
      table = header[1] === "[[" ? nextElement(counts, parts(header[2]!)) : parts(header[2]!);
    }
    const assignment = header ? null : ASSIGNMENT.exec(line);
    const path = assignment ? [...table, ...parts(assignment[1]!)] : table;
    if (header || assignment) places.set(placeKey(path), index + 1);
    if (header && path.at(-1) === 0) places.set(placeKey(path.slice(0, -1)), index + 1); // the list: its first element
    quotes = assignment ? openQuotes(line.slice(assignment[0].length)) : undefined;
  }
  return places;
}

function nextElement(counts: Map<string, number>, path: KeyPath): KeyPath {
  const index = counts.get(placeKey(path)) ?? 0;
  counts.set(placeKey(path), index + 1);
  return [...path, index];
}

/** The quotes that a value opens and does not close on its line. */
function openQuotes(value: string): string | undefined {
  const opened = /^\s*("""|''')/.exec(value);
  return opened && !value.slice(opened[0].length).includes(opened[1]!) ? opened[1] : undefined;
}

function parts(key: string): string[] {
  return (key.match(PARTS) ?? []).map((part) => part.replace(/^(["'])(.*)\1$/, "$2"));
}

function placeKey(path: KeyPath): string {
  return JSON.stringify(path);
}
