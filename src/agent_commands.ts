/**
 * The commands that ask the porthole that runs on this machine: their options, and how they are read. What they do is in
 * `run_agent_command.ts`; the table of all commands is `commands.ts`.
 */
import type { ConfigFlags } from "./config.ts";
import { DEFAULT_WINDOW_MS, MAX_WINDOW_MS, MIN_WINDOW_MS } from "./control/pairing.ts";
import {
  type Command,
  JSON_OPTION,
  oneLine,
  type Option,
  type Typed,
  UsageError,
} from "./flags.ts";
import { LOG_LEVELS } from "./lib/log_sink.ts";
import { type Operation, OPERATIONS } from "./protocol/access.ts";

/** A grant shorter than a minute is over before somebody has typed the link. */
export const MIN_LEND_MS = 60_000;
/** Beyond a year people forget whom they let in. */
export const MAX_LEND_MS = 365 * 24 * 60 * 60_000;
/** Browsers that one link may let in. */
const MAX_USES = 64;
const DEFAULT_OPERATIONS: readonly Operation[] = ["view"];

interface Asked {
  readonly flags: ConfigFlags;
  readonly json: boolean;
}

/** What was typed, checked. Times in ms. */
export type AgentInvocation =
  | (Asked & {
    readonly command: "pair";
    readonly windowMs: number;
    /** Where the QR code is shown as a picture, for as long as it is good. */
    readonly qrFile: string | undefined;
  })
  | LendInvocation
  | (Asked & { readonly command: "owners" | "grants" | "sessions" })
  | (Asked & { readonly command: "status" })
  | (Asked & { readonly command: "revoke" | "kick"; readonly id: string })
  | (Asked & { readonly command: "audit"; readonly follow: boolean })
  | (Asked & { readonly command: "snapshot"; readonly camera: string; readonly file: string })
  | (Asked & { readonly command: "doctor" });

/** What is lent, to how many, for how long. */
export interface LendInvocation extends Asked {
  readonly command: "lend";
  readonly services: readonly string[];
  readonly cameras: readonly string[];
  readonly operations: readonly Operation[];
  readonly forMs: number;
  readonly uses: number;
  readonly label: string | undefined;
}

export const CONFIG_OPTIONS: readonly Option[] = [
  { name: "config", value: "FILE", help: "configuration (/etc/porthole/porthole.toml)" },
  { name: "state", value: "DIR", help: "folder of keys and database (/var/lib/porthole)" },
];
const ASKING: readonly Option[] = [...CONFIG_OPTIONS, JSON_OPTION];

/** In the order of the help text. */
export const AGENT_COMMANDS: readonly Command<AgentInvocation>[] = [
  {
    name: "pair",
    summary: "print a QR code and a link that make the scanning browser an owner",
    options: [
      { name: "for", value: "TIME", help: "how long it may be scanned, as in 90s, 10m, 1h (10m)" },
      {
        name: "qr-file",
        value: "FILE",
        help: "also a picture (SVG), which is there as long as the window",
      },
      ...ASKING,
    ],
    read: (typed) => ({
      command: "pair",
      ...asked(typed),
      windowMs: pairWindow(typed),
      qrFile: typed.text("qr-file"),
    }),
  },
  {
    name: "lend",
    summary: "print a QR code and a link that let a guest in for a while",
    options: [
      {
        name: "scope",
        value: "IDS",
        help: "services and cameras, as in ui,camera:front",
      },
      {
        name: "ops",
        value: "OPS",
        help: "view: watch and read; operate: use pages in full; talk (view)",
      },
      { name: "for", value: "TIME", help: "how long, as in 30m, 1h, 2d" },
      { name: "uses", value: "N", help: "how many browsers may use the link (1)" },
      { name: "label", value: "TEXT", help: "what you call the guest, as in Plumber" },
      ...ASKING,
    ],
    read: readLend,
  },
  plain("owners", "list the browsers that may do everything"),
  plain("grants", "list what is lent, to whom, until when"),
  {
    name: "revoke",
    summary: "end a grant or a pairing link, or remove an owner with its guests",
    words: "ID",
    options: ASKING,
    read: (typed) => ({ command: "revoke", ...asked(typed), id: wordId(typed) }),
  },
  plain("sessions", "list who is connected"),
  {
    name: "kick",
    summary: "end a session; its browser may come again",
    words: "ID",
    options: ASKING,
    read: (typed) => ({ command: "kick", ...asked(typed), id: wordId(typed) }),
  },
  {
    name: "audit",
    summary: "print the log: who came, when, with which grant, to what",
    options: [{ name: "follow", help: "go on and print what comes" }, ...ASKING],
    read: (typed) => ({ command: "audit", ...asked(typed), follow: typed.has("follow") }),
  },
  {
    name: "snapshot",
    summary: "save a JPEG of what a camera shows now",
    words: "CAMERA FILE",
    options: ASKING,
    read: readSnapshot,
  },
  plain("status", "say whether the agent runs and what it is connected to"),
  {
    name: "doctor",
    summary: "look at everything a connection depends on, and name what is wrong",
    options: ASKING,
    read: (typed) => ({ command: "doctor", ...asked(typed) }),
  },
];

/** Options that a command does not have are undefined here. */
export function configFlags(typed: Typed): ConfigFlags {
  return {
    config: typed.text("config"),
    name: typed.text("name"),
    rendezvous: typed.text("rendezvous"),
    state: typed.text("state"),
    log: typed.choice("log", LOG_LEVELS),
    services: typed.pairs("service").map(({ id, text }) => ({ id, target: text })),
    cameras: typed.pairs("camera").map(({ id, text }) => ({ id, source: text })),
  };
}

function plain(
  command: "owners" | "grants" | "sessions" | "status",
  summary: string,
): Command<AgentInvocation> {
  const read = (typed: Typed): AgentInvocation => ({ command, ...asked(typed) });
  return { name: command, summary, options: ASKING, read };
}

function asked(typed: Typed): Asked {
  return { flags: configFlags(typed), json: typed.has("json") };
}

function pairWindow(typed: Typed): number {
  const time = typed.duration("for") ?? DEFAULT_WINDOW_MS;
  if (time >= MIN_WINDOW_MS && time <= MAX_WINDOW_MS) return time;
  throw new UsageError(`--for is ${oneLine(typed.text("for") ?? "")}; expected 1m to 1d`);
}

function readLend(typed: Typed): LendInvocation {
  const forMs = typed.duration("for");
  if (forMs === undefined) throw new UsageError("--for is missing; say how long, as in --for 1h");
  if (forMs < MIN_LEND_MS || forMs > MAX_LEND_MS) {
    throw new UsageError(`--for is ${oneLine(typed.text("for") ?? "")}; expected 1m to 365d`);
  }
  return {
    command: "lend",
    ...asked(typed),
    ...readScope(typed.text("scope")),
    operations: typed.choices("ops", OPERATIONS) ?? DEFAULT_OPERATIONS,
    forMs,
    uses: typed.count("uses", { min: 1, max: MAX_USES }) ?? 1,
    label: typed.text("label"),
  };
}

/** "ui,camera:front": which of them exist is for the agent to say. */
function readScope(text: string | undefined): Pick<LendInvocation, "services" | "cameras"> {
  if (text === undefined) {
    throw new UsageError("--scope is missing; say what to lend, as in --scope ui,camera:front");
  }
  const [services, cameras]: [string[], string[]] = [[], []];
  for (const item of text.split(",")) {
    const [, kind, id] = /^(?:(service|camera):)?([a-z0-9][a-z0-9-]{0,31})$/.exec(item) ?? [];
    if (id === undefined) {
      throw new UsageError(`--scope is ${oneLine(text)}; expected ids, as in ui,camera:front`);
    }
    (kind === "camera" ? cameras : services).push(id);
  }
  return { services, cameras };
}

function readSnapshot(typed: Typed): AgentInvocation {
  const [camera = "", file = ""] = typed.words;
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(camera) || file === "") {
    throw new UsageError("say which camera and where to save it, as in: snapshot front out.jpg");
  }
  return { command: "snapshot", ...asked(typed), camera, file };
}

/** The beginning of an id is enough where only one begins so. */
function wordId({ words: [id = ""] }: Typed): string {
  if (/^[0-9a-f]{4,32}$/i.test(id)) return id.toLowerCase();
  throw new UsageError(`the id is ${oneLine(id)}; expected 4 to 32 digits of one from the list`);
}
