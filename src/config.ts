/**
 * Configuration: porthole.toml and what was typed on the command line, as one frozen, checked value. Nothing later in the
 * program looks at flags or files. Every mistake is reported at once, each with its place, what is wrong and what would be
 * right, so that a person edits the file once. Flags win over the file; a service or camera flag wins over the file's
 * entry of the same id. Passwords in a camera's URL never appear in a message.
 */
import { readFile, stat } from "node:fs/promises";
import { parse, TomlError } from "smol-toml";
import type { InferOutput } from "valibot";
import { type Entry, isTable, type Place, Problems, type TableShape } from "./config_check.ts";
import { type KeyPath, lineOf } from "./config_lines.ts";
import { CAMERA, ID_PATTERN, PIN_PATTERN, SERVICE, TOP } from "./config_shape.ts";

import type { LogLevel } from "./lib/log_sink.ts";

/** Where an installed device is configured. */
const DEFAULT_CONFIG_FILE = "/etc/porthole/porthole.toml";
export const DEFAULT_STATE_FOLDER = "/var/lib/porthole";

/** A person's file has a few hundred bytes; this stops a video given by mistake. */
const MAX_FILE_BYTES = 1 << 20;
/** Services, and cameras: what a hello message (protocol/limits.ts, MAX_CONTROL_BYTES) carries with long titles. */
const MAX_ENTRIES = 32;

/** Everything the agent is told from outside. `Target` and `Source` are what the parsers make of the texts. */
export interface Config<Target, Source> {
  readonly name: string;
  /** A ws: or wss: URL. */
  readonly rendezvous: string;
  /** Folder of the device's keys and database. */
  readonly state: string;
  readonly log: LogLevel;
  /** UDP port of all WebRTC connections; 0 gives each one of its own. */
  readonly port: number;
  /** "system": the system's clock is right, whoever sets it. "auto": only once systemd-timesyncd says so. */
  readonly clock: "auto" | "system";
  /** Where Prometheus may ask; nowhere if undefined. */
  readonly metrics?: { readonly host: string; readonly port: number } | undefined;
  readonly services: readonly ServiceConfig<Target>[];
  readonly cameras: readonly CameraConfig<Source>[];
}

export interface ServiceConfig<Target> {
  readonly id: string;
  readonly title: string;
  readonly target: Target;
  /** File with certificates in PEM that are trusted for this https service instead of the system's. */
  readonly ca?: string | undefined;
  /** SHA-256 of the one certificate that is trusted: 64 hexadecimal digits in lower case. */
  readonly pin?: string | undefined;
  /** False only where somebody wrote `verify = false`: any certificate will do. Then and with `pin`, there is no `ca`. */
  readonly verify: boolean;
  /** Whose name the service sees in Host: its own, or the one that the browser uses. */
  readonly host: "target" | "keep";
}

export interface CameraConfig<Source> {
  readonly id: string;
  readonly title: string;
  readonly source: Source;
}

/** What the command line adds to the file. */
export interface ConfigFlags {
  readonly config?: string;
  readonly name?: string;
  readonly rendezvous?: string;
  readonly state?: string;
  readonly log?: LogLevel;
  readonly services?: readonly { readonly id: string; readonly target: string }[];
  readonly cameras?: readonly { readonly id: string; readonly source: string }[];
}

/** What holds where neither flag nor file says anything. Without a rendezvous here, one must be given. */
export interface ConfigDefaults {
  readonly name: string;
  readonly rendezvous?: string;
  readonly state?: string;
  readonly log?: LogLevel;
}

/** What stands beside a camera's `source`, each only where somebody wrote it. */
export interface SourceWords {
  readonly transport?: "tcp" | "udp";
  readonly pin?: string;
  readonly verify?: boolean;
}

/** How the parts read their own texts. Each throws an Error that says what is wrong and what would be right. */
export interface ConfigParsers<Target, Source> {
  target(text: string): Target;
  source(text: string, options: SourceWords): Source;
}

export interface ConfigOptions<Target, Source> {
  readonly flags: ConfigFlags;
  readonly defaults: ConfigDefaults;
  readonly parsers: ConfigParsers<Target, Source>;
}

/** A file as it was read. */
export interface ConfigFile {
  readonly path: string;
  readonly text: string;
}

/** The configuration cannot be used. `problems` has one line each, in the order of the file; `message` joins them. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  constructor(readonly problems: readonly string[], options?: ErrorOptions) {
    super(problems.join("\n"), options);
  }
}

/** Reads and checks the configuration. Without `--config` the usual file is used if it is there. */
export async function loadConfig<Target, Source>(
  options: ConfigOptions<Target, Source>,
): Promise<Config<Target, Source>> {
  return parseConfig(await readConfigFile(options.flags.config), options);
}

/** The state folder alone, for commands that only talk to a running agent: the rest of the file may be wrong. */
export async function findState(flags: Pick<ConfigFlags, "config" | "state">): Promise<string> {
  if (flags.state !== undefined) return flags.state;
  const file = await readConfigFile(flags.config);
  const state = file && parseToml(file).state;
  return typeof state === "string" && state !== "" ? state : DEFAULT_STATE_FOLDER;
}

/** Checks a configuration that has been read. Throws a ConfigError with all that is wrong with it. */
export function parseConfig<Target, Source>(
  file: ConfigFile | undefined,
  options: ConfigOptions<Target, Source>,
): Config<Target, Source> {
  const { flags, parsers } = options;
  const document = file === undefined ? {} : parseToml(file);
  const problems = new Problems();
  const top = problems.checkShape(TOP, topEntry(document, file, options));
  const services = readEntries(problems, {
    entries: entriesOf("service", { file, listed: document.service, flagged: flags.services }),
    shape: SERVICE,
    read: (entry) => {
      checkTrust(problems, entry);
      return problems.checkText(entry, "target", (text) => parsers.target(text));
    },
  });
  const cameras = readEntries(problems, {
    entries: entriesOf("camera", { file, listed: document.camera, flagged: flags.cameras }),
    shape: CAMERA,
    read: (entry) =>
      problems.checkText(entry, "source", (text) => parsers.source(text, sourceWords(entry))),
  });
  const lines = problems.lines();
  if (top === undefined || lines.length > 0) throw new ConfigError(lines);
  const { name, rendezvous, state, log, port, clock, metrics } = top;
  return Object.freeze({
    ...{ name, rendezvous, state, log, port, clock },
    ...metrics === undefined ? {} : { metrics },
    services: frozen(
      services.map(({ shape: { title, ...shape }, parsed }) => ({
        ...shape,
        title: title ?? shape.id,
        target: parsed,
      })),
    ),
    cameras: frozen(
      cameras.map(({ shape: { id, title = id }, parsed }) => ({ id, title, source: parsed })),
    ),
  });
}

/** The values above the first table, by descending rank: flags, file, defaults. */
function topEntry<Target, Source>(
  document: Document,
  file: ConfigFile | undefined,
  { flags, defaults }: ConfigOptions<Target, Source>,
): Entry {
  const { name, rendezvous, state, log } = flags;
  const typed = withoutUndefined({ name, rendezvous, state, log });
  return {
    label: "",
    value: { state: DEFAULT_STATE_FOLDER, log: "info", ...defaults, ...document, ...typed },
    place: (key = "") => key in typed ? flagPlace(key) : filePlace(file, [key]),
  };
}

/** The tables of one kind: those of the file, but for those that a flag replaces, and those of the flags. */
function entriesOf(
  kind: "service" | "camera",
  { file, listed, flagged = [] }: {
    readonly file: ConfigFile | undefined;
    readonly listed: unknown;
    readonly flagged?: readonly { readonly id: string }[] | undefined;
  },
): Entry[] {
  const replaced = new Set(flagged.map(({ id }) => id));
  const ofFile = (Array.isArray(listed) ? listed : []).map((value, index): Entry => ({
    value,
    label: labelOf(kind, value, index),
    place: (key) => filePlace(file, key === undefined ? [kind, index] : [kind, index, key]),
  }));
  const ofFlags = flagged.map((value, index): Entry => ({
    value,
    label: labelOf(kind, value, index),
    place: () => flagPlace(kind),
  }));
  return [...ofFile.filter(({ value }) => !replaced.has(idOf(value) ?? "")), ...ofFlags];
}

interface EntriesOptions<Shape extends TableShape, Parsed> {
  readonly entries: readonly Entry[];
  readonly shape: Shape;
  /** Reads what the shape leaves as text; undefined after reporting why that cannot be. */
  readonly read: (entry: Entry) => Parsed | undefined;
}

/** Checks tables of one kind. What cannot be used is left out, having been reported. */
function readEntries<Shape extends TableShape, Parsed>(
  problems: Problems,
  { entries, shape, read }: EntriesOptions<Shape, Parsed>,
): { shape: InferOutput<Shape>; parsed: Parsed }[] {
  problems.checkTwins(entries);
  const beyond = entries[MAX_ENTRIES];
  if (beyond) {
    problems.report(
      beyond.place(),
      `${beyond.label}is one too many; expected at most ${MAX_ENTRIES}`,
    );
  }
  return entries.slice(0, MAX_ENTRIES).flatMap((entry) => {
    const checked = problems.checkShape(shape, entry);
    const parsed = read(entry);
    return checked === undefined || parsed === undefined ? [] : [{ shape: checked, parsed }];
  });
}

type Document = Readonly<Record<string, unknown>>;

function parseToml({ path, text }: ConfigFile): Document {
  try {
    return parse(text);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    // The rest of its message repeats lines of the file, and those may hold passwords.
    const [first] = cause.message.replace(/^Invalid TOML document: /, "").split("\n");
    throw new ConfigError([`${path}:${cause.line}: not TOML: ${first}`]);
  }
}

async function readConfigFile(path: string | undefined): Promise<ConfigFile | undefined> {
  const wanted = path ?? DEFAULT_CONFIG_FILE;
  try {
    const { size } = await stat(wanted);
    if (size <= MAX_FILE_BYTES) return { path: wanted, text: await readFile(wanted, "utf8") };
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (path === undefined && code === "ENOENT") return undefined;
    throw new ConfigError([`${wanted}: cannot be read (${code}); expected a readable TOML file`], {
      cause,
    });
  }
  throw new ConfigError([`${wanted}: longer than ${MAX_FILE_BYTES} bytes; expected a TOML file`]);
}

function filePlace(file: ConfigFile | undefined, path: KeyPath): Place {
  if (file === undefined) return { line: 0, text: `--${path[0]}` };
  const line = lineOf(file.text, path);
  return { line, text: `${file.path}:${line}` };
}

function flagPlace(flag: string): Place {
  return { line: 0, text: `--${flag}` };
}

/** `service "ui": `, or by its number where it has no id that can be shown. */
function labelOf(kind: string, value: unknown, index: number): string {
  const id = idOf(value);
  return id !== undefined && ID_PATTERN.test(id) ? `${kind} "${id}": ` : `${kind} ${index + 1}: `;
}

function idOf(value: unknown): string | undefined {
  return isTable(value) && typeof value.id === "string" ? value.id : undefined;
}

/** Which certificate of an https service is the right one is said in one way or not at all. */
function checkTrust(problems: Problems, entry: Entry): void {
  const table = isTable(entry.value) ? entry.value : {};
  const [first, second] = ["ca", "pin", "verify"].filter((key) =>
    table[key] !== undefined && table[key] !== true
  );
  if (first !== undefined && second !== undefined) {
    const text = `${first} and ${second} exclude each other; expected one of them`;
    problems.report(entry.place(second), entry.label + text);
  }
  const plain = typeof table.target === "string" && !table.target.startsWith("https://");
  if (first !== undefined && plain) {
    const text = `${first} is for targets that begin with https://; expected none here`;
    problems.report(entry.place(first), entry.label + text);
  }
}

/** What has not its shape is left out: it is reported as a matter of that. */
function sourceWords({ value }: Entry): SourceWords {
  const { transport, pin, verify } = isTable(value) ? value : {};
  return {
    ...(transport === "tcp" || transport === "udp" ? { transport } : {}),
    ...(typeof pin === "string" && PIN_PATTERN.test(pin) ? { pin } : {}),
    ...(typeof verify === "boolean" ? { verify } : {}),
  };
}

function frozen<Item>(items: readonly Item[]): readonly Readonly<Item>[] {
  return Object.freeze(items.map((item) => Object.freeze(item)));
}

function withoutUndefined(fields: Document): Document {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
