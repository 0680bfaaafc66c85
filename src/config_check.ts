/**
 * Checks tables of a configuration against their shapes and collects everything that is wrong, with its place. Knows
 * nothing of what services and cameras are; config.ts does.
 */
import * as v from "valibot";
import { EXPECTED } from "./config_shape.ts";
import { nearestWord } from "./lib/nearest.ts";
import { redact } from "./lib/redact.ts";

/** Longest value that is shown in a message. */
const SHOWN_CHARACTERS = 60;
/** Shorter passwords would make holes in every other word of a message, and protect nothing. */
const SHORTEST_HIDDEN = 3;

/** Where something was written: a line of the file, or a flag (line 0, so that flags come first). */
export interface Place {
  readonly line: number;
  readonly text: string;
}

/** A table as it was found, before anything is known about it. */
export interface Entry {
  readonly value: unknown;
  /** Begins each message, for example `service "ui": `; empty for the top of the file. */
  readonly label: string;
  /** Where a key of it stands; the table itself without one. */
  place(key?: string): Place;
}

/** A table's shape. */
export type TableShape = v.ObjectSchema<v.ObjectEntries, undefined>;

/** All that is wrong so far. */
export class Problems {
  readonly #found: { readonly place: Place; readonly text: string }[] = [];

  report(place: Place, text: string): void {
    this.#found.push({ place, text });
  }

  /** One line for each, in the order of the file. */
  lines(): string[] {
    return this.#found
      .toSorted((a, b) => a.place.line - b.place.line)
      .map(({ place, text }) => `${place.text}: ${text}`);
  }

  /** Checks keys and values of one table. Gives its checked form, or undefined after reporting why there is none. */
  checkShape<Shape extends TableShape>(
    shape: Shape,
    entry: Entry,
  ): v.InferOutput<Shape> | undefined {
    const { value, label } = entry;
    if (!isTable(value)) {
      this.report(entry.place(), `${label}is ${shown(value)}; expected a table`);
      return undefined;
    }
    const meant = this.#reportUnknownKeys(Object.keys(shape.entries), value, entry);
    const result = v.safeParse(shape, value);
    if (result.success) return result.output;
    const byKey = new Map(result.issues.map((issue) => [String(issue.path?.[0]?.key), issue]));
    for (const key of byKey.keys()) {
      if (value[key] === undefined && meant.has(key)) continue; // one mistake, one line
      const wrong = value[key] === undefined ? "is missing" : `is ${shown(value[key])}`;
      this.report(entry.place(key), `${label}${key} ${wrong}; expected ${EXPECTED.get(key)}`);
    }
    return undefined;
  }

  /** Hands a text to the parser of the part that will use it. What it throws becomes a problem, without passwords. */
  checkText<Parsed>(
    entry: Entry,
    key: string,
    parse: (text: string) => Parsed,
  ): Parsed | undefined {
    const text = isTable(entry.value) ? entry.value[key] : undefined;
    if (typeof text !== "string") return undefined; // reported as a matter of shape
    try {
      return parse(text);
    } catch (error) {
      const reason = error instanceof Error ? error.message : "it cannot be read";
      this.report(entry.place(key), `${entry.label}${key}: ${withoutPassword(reason, text)}`);
      return undefined;
    }
  }

  /** Reports each id that an earlier entry has already. */
  checkTwins(entries: readonly Entry[]): void {
    const first = new Map<string, Place>();
    for (const { value, label, place } of entries) {
      if (!isTable(value) || typeof value.id !== "string") continue;
      const taken = first.get(value.id);
      if (taken === undefined) first.set(value.id, place("id"));
      else {this.report(
          place("id"),
          `${label}the id is used already at ${taken.text}; expected another`,
        );}
    }
  }

  /** Gives the known keys that were meant, as far as that can be guessed. */
  #reportUnknownKeys(known: readonly string[], table: object, entry: Entry): Set<string> {
    const meant = new Set<string>();
    for (const key of Object.keys(table).filter((key) => !known.includes(key))) {
      const nearest = nearestWord(key, known);
      if (nearest) meant.add(nearest);
      const remedy = nearest ? `did you mean "${nearest}"?` : `known keys are ${known.join(", ")}`;
      this.report(entry.place(key), `${entry.label}unknown key ${shown(key)}; ${remedy}`);
    }
    return meant;
  }
}

/** Whether a value is what TOML calls a table. */
export function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    !(value instanceof Date);
}

/** A value as a message shows it: one line, not long, no secrets. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (isTable(value)) return "a table";
  if (typeof value !== "string") return String(value);
  const text = redact(value);
  return JSON.stringify(
    text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}...` : text,
  );
}

/** A parser may repeat a part of its text in words of its own: the password is looked for by itself too. */
function withoutPassword(message: string, text: string): string {
  const password = /:\/\/[^:]*:(.*)@/s.exec(text)?.[1] ?? "";
  const hidden = password.length < SHORTEST_HIDDEN ? message : message.replaceAll(password, "***");
  return redact(hidden).replaceAll(/\s+/g, " ");
}
