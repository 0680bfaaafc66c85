/**
 * The commands that a person may type, their options, and the words that explain them: one table, from which reading,
 * `porthole help` and `--help` all come (DESIGN 5). `main` looks at `command` of the Invocation and acts.
 */
import type { ConfigFlags } from "./config.ts";
import {
  AGENT_COMMANDS,
  type AgentInvocation,
  CONFIG_OPTIONS,
  configFlags,
} from "./agent_commands.ts";
import {
  type Command,
  JSON_OPTION,
  oneLine,
  type Option,
  readOptions,
  type Typed,
  UsageError,
} from "./flags.ts";
import { LOG_LEVELS, type LogLevel } from "./lib/log_sink.ts";
import { nearestWord } from "./lib/nearest.ts";

const DEFAULT_LISTEN = { host: "127.0.0.1", port: 8080 };
const DEFAULT_DEMO_PORT = 8080;

/** What was typed, checked. Times in ms. */
export type Invocation =
  | { readonly command: "run"; readonly flags: ConfigFlags; readonly json: boolean }
  | AgentInvocation
  | RendezvousInvocation
  | {
    readonly command: "demo";
    readonly flags: ConfigFlags;
    readonly port: number;
    readonly json: boolean;
  }
  | { readonly command: "version"; readonly json: boolean }
  | { readonly command: "help"; readonly text: string };

export interface RendezvousInvocation {
  readonly command: "rendezvous";
  readonly listen: { readonly host: string; readonly port: number };
  /** Where browsers reach it; the listening address if absent. */
  readonly origin?: string | undefined;
  /** Origin of device pages, `*` standing for the label; derived from `origin` if absent. */
  readonly contentOrigin?: string | undefined;
  readonly stunUrls: readonly string[];
  readonly turnUrls: readonly string[];
  readonly turnSecretFile?: string | undefined;
  readonly log?: LogLevel | undefined;
  readonly json: boolean;
}

const LOG_OPTION: Option = {
  name: "log",
  value: "LEVEL",
  help: `least level of events on stderr: ${LOG_LEVELS.join(", ")}`,
};
const DEVICE_OPTIONS: readonly Option[] = [
  { name: "name", value: "TEXT", help: "what people call this device" },
  {
    name: "service",
    value: "ID=TARGET",
    help: "a web page, as in ui=http://127.0.0.1:80",
    repeated: true,
  },
  {
    name: "camera",
    value: "ID=SOURCE",
    help: "a camera, as in front=rtsp://192.168.1.20/1",
    repeated: true,
  },
];

/** All commands, in the order of the help text. */
export const COMMANDS: readonly Command<Invocation>[] = [
  {
    name: "run",
    summary: "connect this device: the agent",
    options: [
      ...CONFIG_OPTIONS,
      { name: "rendezvous", value: "URL", help: "meeting point, as in wss://meet.example.org" },
      ...DEVICE_OPTIONS,
      LOG_OPTION,
      JSON_OPTION,
    ],
    read: (typed) => ({ command: "run", flags: configFlags(typed), json: typed.has("json") }),
  },
  ...AGENT_COMMANDS,
  {
    name: "rendezvous",
    summary: "serve the shell and introduce browsers to devices",
    options: [
      { name: "listen", value: "HOST:PORT", help: "where to listen (127.0.0.1:8080)" },
      {
        name: "origin",
        value: "URL",
        help: "where browsers reach it, as in https://meet.example.org",
      },
      {
        name: "content-origin",
        value: "URL",
        help: "origin of device pages, as in https://*.content.example",
      },
      {
        name: "stun-url",
        value: "URL",
        help: "STUN server, as in stun:stun.example.org",
        repeated: true,
      },
      {
        name: "turn-url",
        value: "URL",
        help: "TURN server, as in turn:turn.example.org",
        repeated: true,
      },
      { name: "turn-secret-file", value: "FILE", help: "coturn's static-auth-secret" },
      LOG_OPTION,
      JSON_OPTION,
    ],
    read: readRendezvous,
  },
  {
    name: "demo",
    summary: "try it: rendezvous, agent and a sample device in one",
    options: [
      { name: "port", value: "PORT", help: "where the shell is served (8080); 0 for any" },
      { name: "state", value: "DIR", help: "folder to keep the device in (a new one each time)" },
      ...DEVICE_OPTIONS,
      LOG_OPTION,
      JSON_OPTION,
    ],
    read: (typed) => ({
      command: "demo",
      flags: configFlags(typed),
      port: typed.port("port") ?? DEFAULT_DEMO_PORT,
      json: typed.has("json"),
    }),
  },
  {
    name: "version",
    summary: "say which version this is and what it runs on",
    options: [JSON_OPTION],
    read: (typed) => ({ command: "version", json: typed.has("json") }),
  },
  {
    name: "help",
    summary: "explain a command",
    words: "[COMMAND]",
    options: [],
    read: ({ words: [name] }) => ({
      command: "help",
      text: name === undefined ? overview() : helpOf(findCommand(name)),
    }),
  },
];

/** Reads the arguments behind the program's name. Throws a UsageError. */
export function readInvocation(args: readonly string[]): Invocation {
  const [name, ...rest] = args;
  if (name === undefined) throw new UsageError("a command is missing; see 'porthole help'");
  if (name === "--help" || name === "-h") return { command: "help", text: overview() };
  const command = findCommand(name === "--version" ? "version" : name);
  if (rest.includes("--help") || rest.includes("-h")) {
    return { command: "help", text: helpOf(command) };
  }
  const typed = readOptions(rest, command.options);
  const surplus = typed.words[command.words?.split(" ").length ?? 0];
  if (surplus !== undefined) {
    throw new UsageError(`'porthole ${command.name}' does not take ${oneLine(surplus)}`);
  }
  if (/^[A-Z]/.test(command.words ?? "") && typed.words.length === 0) {
    throw new UsageError(`'porthole ${command.name}' needs ${command.words}`);
  }
  return command.read(typed);
}

function findCommand(name: string): Command<Invocation> {
  const found = COMMANDS.find((command) => command.name === name);
  if (found !== undefined) return found;
  const nearest = nearestWord(name, COMMANDS.map((command) => command.name));
  const remedy = nearest ? `did you mean '${nearest}'?` : "see 'porthole help'";
  throw new UsageError(`there is no command ${oneLine(name)}; ${remedy}`);
}

/* ---- values -------------------------------------------------------------------------------------------------- */

function readRendezvous(typed: Typed): RendezvousInvocation {
  const turnUrls = typed.texts("turn-url");
  const turnSecretFile = typed.text("turn-secret-file");
  if ((turnUrls.length > 0) !== (turnSecretFile !== undefined)) {
    throw new UsageError("--turn-url and --turn-secret-file need each other");
  }
  return {
    command: "rendezvous",
    listen: typed.address("listen") ?? DEFAULT_LISTEN,
    origin: typed.origin("origin"),
    contentOrigin: typed.origin("content-origin"),
    stunUrls: typed.texts("stun-url"),
    turnUrls,
    turnSecretFile,
    log: typed.choice("log", LOG_LEVELS),
    json: typed.has("json"),
  };
}

/* ---- help ---------------------------------------------------------------------------------------------------- */

function overview(): string {
  const rows = COMMANDS.map(({ name, summary }) => [`porthole ${name}`, summary] as const);
  return `A device's own web pages and cameras in your browser, through any NAT, end to end encrypted.

${columns(rows)}
'porthole help COMMAND' lists the options of one.
`;
}

function helpOf({ name, summary, options, words }: Command<Invocation>): string {
  const rows = options.map((option) => {
    const value = option.value === undefined ? "" : ` ${option.value}`;
    return [
      `--${option.name}${value}`,
      option.help + (option.repeated ? "; may be repeated" : ""),
    ] as const;
  });
  const usage = `porthole ${name}${words ? ` ${words}` : ""}${rows.length > 0 ? " [OPTIONS]" : ""}`;
  return `${usage}: ${summary}\n${rows.length > 0 ? `\n${columns(rows)}` : ""}`;
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}\n`).join("");
}
