/**
 * Reads what a person typed, strictly: one command's options as `Typed`, whose methods give checked values. What does not
 * fit is a UsageError: one line, and the program exits with 2. Which commands and options there are is `commands.ts`.
 */
import { parseArgs } from "node:util";
import { nearestWord } from "./lib/nearest.ts";
import { redact } from "./lib/redact.ts";

/** Somebody typed what there is not, or what cannot be. The message is one line, with the remedy. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** One option of a command. */
export interface Option {
  /** Without the dashes. */
  readonly name: string;
  /** What stands for its value in the help text, such as "FILE"; a switch has none. */
  readonly value?: string;
  readonly help: string;
  /** Whether it may be given more than once. */
  readonly repeated?: boolean;
}

/** One row of a table of commands. */
export interface Command<Invocation extends { readonly command: string }> {
  readonly name: Invocation["command"];
  readonly summary: string;
  readonly options: readonly Option[];
  /** What may stand beside the options, in the help text: in brackets what may be left out; nothing if absent. */
  readonly words?: string;
  read(typed: Typed): Invocation;
}

/** What every command has that prints something. */
export const JSON_OPTION: Option = {
  name: "json",
  help: "print JSON on stdout and nothing else",
};

const SECOND_MS = 1000;
const DURATION_UNITS: ReadonlyMap<string, number> = new Map([
  ["s", SECOND_MS],
  ["m", 60 * SECOND_MS],
  ["h", 3600 * SECOND_MS],
  ["d", 24 * 3600 * SECOND_MS],
]);
const MAX_PORT = 65_535;

/** Splits arguments into options and plain words. Throws a UsageError for an option that `options` does not have. */
export function readOptions(args: readonly string[], options: readonly Option[]): Typed {
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      options.map(({ name, value }) => [name, { type: value ? "string" : "boolean" } as const]),
    ),
    strict: false, // strict mode has messages of its own, and different ones on Deno and Node
    tokens: true,
  });
  const values = new Map<string, string[]>();
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") words.push(token.value);
    if (token.kind !== "option") continue;
    const option = options.find(({ name }) => name === token.name);
    if (option === undefined) throw unknownOption(token.rawName, options);
    const before = values.get(option.name) ?? [];
    if (before.length > 0 && !option.repeated) {
      throw new UsageError(`--${option.name} is given twice`);
    }
    values.set(option.name, [...before, checkedValue(option, token)]);
  }
  return new Typed(values, words);
}

/** Options as they were typed, each checked when it is asked for. */
export class Typed {
  readonly #values: ReadonlyMap<string, readonly string[]>;
  /** What stands beside the options. */
  readonly words: readonly string[];

  constructor(values: ReadonlyMap<string, readonly string[]>, words: readonly string[]) {
    this.#values = values;
    this.words = words;
  }

  /** Whether a switch was given. */
  has(name: string): boolean {
    return this.#values.has(name);
  }

  text(name: string): string | undefined {
    return this.#values.get(name)?.[0];
  }

  texts(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** One of a few words. */
  choice<Word extends string>(name: string, words: readonly Word[]): Word | undefined {
    return this.#read(
      name,
      `one of ${words.join(", ")}`,
      (text) => words.find((word) => word === text),
    );
  }

  /** Milliseconds of a text like "90s", "10m", "1h" or "2d". */
  duration(name: string): number | undefined {
    return this.#read(name, "a time such as 90s, 10m, 1h or 2d", (text) => {
      const [, count, unit] = /^([1-9]\d{0,5})([smhd])$/.exec(text) ?? [];
      return unit === undefined ? undefined : Number(count) * DURATION_UNITS.get(unit)!;
    });
  }

  /** A whole number between bounds. */
  count(name: string, bounds: { readonly min: number; readonly max: number }): number | undefined {
    const { min, max } = bounds;
    return this.#read(name, `a number from ${min} to ${max}`, (text) => {
      const count = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
      return count >= min && count <= max ? count : undefined;
    });
  }

  /** Words between commas, each one of a few. */
  choices<Word extends string>(name: string, words: readonly Word[]): Word[] | undefined {
    return this.#read(name, `some of ${words.join(",")}, with commas between`, (text) => {
      const chosen = text.split(",");
      return chosen.every((typed) => words.some((word) => word === typed))
        ? words.filter((word) => chosen.includes(word))
        : undefined;
    });
  }

  /** A TCP port; 0 asks the system for a free one. */
  port(name: string): number | undefined {
    return this.#read(name, `a port from 0 to ${MAX_PORT}`, readPort);
  }

  /** "HOST:PORT", with an IPv6 address in brackets. */
  address(name: string): { readonly host: string; readonly port: number } | undefined {
    return this.#read(name, "HOST:PORT, such as 127.0.0.1:8080 or [::]:8080", (text) => {
      const [, v6, name, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+)):(\d+)$/.exec(text) ?? [];
      const host = v6 ?? name;
      const port = readPort(digits ?? "");
      return host === undefined || port === undefined ? undefined : { host, port };
    });
  }

  /** An http: or https: origin; `*` may stand for the first label of its host. */
  origin(name: string): string | undefined {
    return this.#read(name, "an origin, such as https://meet.example.org", (text) => {
      const origin = text.replace(/\/$/, "");
      const url = URL.parse(origin.replace("://*.", "://any."));
      const plain = url && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`;
      return plain && /^https?:\/\/(\*\.)?[^*]+$/i.test(origin) ? origin.toLowerCase() : undefined;
    });
  }

  /** "ID=TEXT" of each time that the option was given. */
  pairs(name: string): readonly { readonly id: string; readonly text: string }[] {
    return this.texts(name).map((typed) => {
      const [, id, text] = /^([^=:/]+)=(.+)$/s.exec(typed) ?? [];
      if (id !== undefined && text !== undefined) return { id, text };
      throw wrongValue(name, typed, "ID=TEXT, such as ui=http://127.0.0.1:80");
    });
  }

  #read<Value>(
    name: string,
    expected: string,
    read: (text: string) => Value | undefined,
  ): Value | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = read(text);
    if (value === undefined) throw wrongValue(name, text, expected);
    return value;
  }
}

function checkedValue(option: Option, token: { value?: string; inlineValue?: boolean }): string {
  if (option.value === undefined) {
    if (token.value === undefined) return "";
    throw new UsageError(`--${option.name} takes no value`);
  }
  const looksLikeOption = token.inlineValue !== true && token.value?.startsWith("-");
  if (token.value === undefined || token.value === "" || looksLikeOption) {
    throw new UsageError(`--${option.name} needs a value: --${option.name} ${option.value}`);
  }
  return token.value;
}

function unknownOption(typed: string, options: readonly Option[]): UsageError {
  const nearest = nearestWord(typed.replace(/^-+/, ""), options.map(({ name }) => name));
  const remedy = nearest ? `did you mean --${nearest}?` : "see --help";
  return new UsageError(`there is no option ${oneLine(typed)}; ${remedy}`);
}

function wrongValue(name: string, text: string, expected: string): UsageError {
  return new UsageError(`--${name} is ${oneLine(text)}; expected ${expected}`);
}

/** What was typed, fit for one line of a message: `--camera` may hold a password. */
export function oneLine(typed: string): string {
  return JSON.stringify(redact(typed));
}

function readPort(digits: string): number | undefined {
  return /^\d{1,5}$/.test(digits) && Number(digits) <= MAX_PORT ? Number(digits) : undefined;
}
