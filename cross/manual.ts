/**
 * The manual page and the shells' completions, made from the table of commands that also reads what is typed
 * (`src/commands.ts`): none can say something else than the program does.
 */
import { COMMANDS } from "../src/commands.ts";
import type { Option } from "../src/flags.ts";
import { VERSION } from "../src/version.ts";

const INTRODUCTION =
  "porthole gives an authorised person's browser a device's own web pages, WebSockets and cameras over one WebRTC " +
  "connection. It runs on the device; 'porthole rendezvous' is the meeting point that introduces browsers to devices and " +
  "can read nothing of what they say.";

const FILES = [
  [
    "/etc/porthole/porthole.toml",
    "The configuration; the file itself explains what may stand there.",
  ],
  [
    "/var/lib/porthole",
    "Keys and database of the device. Whoever has them is the device; without them all pairings are lost.",
  ],
  ["/etc/porthole/rendezvous.env", "What porthole-rendezvous.service is started with."],
] as const;
const EXIT_STATUS = [
  ["0", "It is done."],
  ["1", "It failed; one line on stderr says why, and what to do."],
  ["2", "There is no such command or option, or a value cannot be."],
] as const;

/** `porthole(1)` in roff's man macros. `date` is that of the sources, as 2026-11-20. */
export function manualPage(date: string): string {
  const commands = COMMANDS.flatMap(({ name, words, summary, options }) => [
    `.SS ${roff(["porthole", name, words].filter(Boolean).join(" "))}`,
    sentence(summary),
    ...options.flatMap((option) => entry(optionText(option), sentence(option.help))),
  ]);
  return [
    `.TH PORTHOLE 1 "${date}" "porthole ${VERSION}" "User Commands"`,
    ".SH NAME",
    "porthole \\- a device's own web pages and cameras in your browser, through any NAT",
    ".SH SYNOPSIS",
    ".B porthole",
    "\\fICOMMAND\\fR [\\fIOPTIONS\\fR]",
    ".SH DESCRIPTION",
    roff(INTRODUCTION),
    ".SH COMMANDS",
    ...commands,
    ".SH FILES",
    ...FILES.flatMap(([file, text]) => entry(`\\fI${roff(file)}\\fR`, roff(text))),
    ".SH EXIT STATUS",
    ...EXIT_STATUS.flatMap(([status, text]) => entry(`\\fB${status}\\fR`, text)),
    ".SH SEE ALSO",
    ".BR systemctl (1),",
    ".BR journalctl (1)",
    "",
  ].join("\n");
}

function entry(term: string, text: string): string[] {
  return [".TP", term, text];
}

function optionText({ name, value }: Option): string {
  const flag = `\\fB${roff(`--${name}`)}\\fR`;
  return value === undefined ? flag : `${flag} \\fI${roff(value)}\\fR`;
}

/** Help texts are phrases; a manual has sentences. */
function sentence(text: string): string {
  return roff(`${text[0]!.toUpperCase()}${text.slice(1)}.`);
}

/** Text whose signs roff would read otherwise; a line must not begin with a dot or a quote. */
function roff(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replace(/^(?=[.'])/, "\\&");
}

/** For bash: commands, then the options of the command. */
export function bashCompletion(): string {
  const cases = COMMANDS.map(({ name, options }) => `    ${name}) words="${flags(options)}" ;;`);
  return `# bash completion of porthole, made from its table of commands
_porthole() {
  local current=\${COMP_WORDS[COMP_CWORD]} words=
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${COMMANDS.map(({ name }) => name).join(" ")}"
  else
    case \${COMP_WORDS[1]} in
${cases.join("\n")}
    help) words="${COMMANDS.map(({ name }) => name).join(" ")}" ;;
    esac
  fi
  case \${COMP_WORDS[COMP_CWORD - 1]} in
    --config | --state | --turn-secret-file | --qr-file) COMPREPLY=($(compgen -f -- "$current")) ;;
    *) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
  esac
}
complete -F _porthole porthole
`.replace(/^ {4}help\) words="" ;;\n/m, "");
}

function flags(options: readonly Option[]): string {
  return options.map(({ name }) => `--${name}`).join(" ");
}

/** For zsh, with what each option is for. */
export function zshCompletion(): string {
  const quoted = (text: string) =>
    text.replaceAll(/['\[\]:\\]/g, (sign) => sign === "'" ? "’" : `\\${sign}`);
  const names = COMMANDS.map(({ name, summary }) => `    '${name}:${quoted(summary)}'`);
  const cases = COMMANDS.map(({ name, options }) => {
    const rows = options.map(({ name, value, help, repeated }) =>
      `'${repeated ? "*" : ""}--${name}[${quoted(help)}]${value ? `:${value}:_files` : ""}'`
    );
    return `    ${name}) _arguments ${rows.join(" ") || "'*:'"} ;;`;
  });
  return `#compdef porthole
# made from porthole's table of commands
_porthole() {
  local -a commands=(
${names.join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join("\n")}
  esac
}
_porthole "$@"
`;
}

/** For fish. */
export function fishCompletion(): string {
  const quoted = (text: string) => `'${text.replaceAll(/[\\']/g, (sign) => `\\${sign}`)}'`;
  const rows = COMMANDS.flatMap(({ name, summary, options }) => [
    `complete -c porthole -f -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
    ...options.map((option) =>
      `complete -c porthole -n '__fish_seen_subcommand_from ${name}' -l ${option.name}` +
      `${option.value === undefined ? "" : " -r"} -d ${quoted(option.help)}`
    ),
  ]);
  return `# made from porthole's table of commands\n${rows.join("\n")}\n`;
}
