/** What the program prints for people and scripts: JSON lines, pairing links and their QR codes. */
import { writeSync } from "node:fs";
import process from "node:process";
import encodeQr from "qr";

const STDOUT = 1;
/** White on black whatever the terminal's own colours, since cameras want a light margin around dark modules. */
const QR_COLOURS = ["\u001b[97;40m", "\u001b[0m"] as const;

/** Prints text and a line feed. A reader that went away is not our concern. */
export function printLine(text: string): void {
  try {
    writeSync(STDOUT, `${text}\n`);
  } catch {
    // EPIPE: nobody reads on.
  }
}

/** Writes bytes as they are, for a pipe. */
export async function writeBytes(bytes: Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    process.stdout.write(bytes, (error) => error ? reject(error) : resolve());
  });
}

/** Prints one JSON object on a line of its own. */
export function printJson(value: unknown): void {
  printLine(JSON.stringify(value));
}

/** Whether a person looks at what we print. */
export function isTerminal(): boolean {
  return process.stdout.isTTY === true;
}

/** What is left of a time is said in steps of this, in ms: asking for it took a moment already. */
const SPAN_STEP_MS = 10_000;

/** Prints a pairing link and, on a terminal, its QR code. `expires` is ISO 8601, by this machine's clock. */
export function printPairing(url: string, expires: string): void {
  printLink(url);
  const span = spanText(
    Math.round((Date.parse(expires) - Date.now()) / SPAN_STEP_MS) * SPAN_STEP_MS,
  );
  printLine(`Whoever opens this link first becomes an owner. It works once, for ${span}.`);
}

/** How long a link that lends holds: until then, or so many ms from the first visit on. */
export type LentTerm = { readonly expires: string } | { readonly forMs: number };

/** The same for a link that lends. */
export function printLent(url: string, { term, uses }: { term: LentTerm; uses: number }): void {
  printLink(url);
  const who = uses === 1 ? "The first browser that opens this link" : `The first ${uses} browsers`;
  const until = "forMs" in term
    ? `for ${spanText(term.forMs)} from the first visit`
    : `until ${localTime(term.expires)}`;
  printLine(`${who} may come in ${until}, and no longer.`);
}

const UNITS = [
  { name: "d", seconds: 86_400 },
  { name: "h", seconds: 3600 },
  { name: "min", seconds: 60 },
] as const;

/** "1 h" or "90 min": in the largest unit that divides it. */
export function spanText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const unit = UNITS.find((one) => seconds >= one.seconds && seconds % one.seconds === 0);
  return unit ? `${seconds / unit.seconds} ${unit.name}` : `${seconds} s`;
}

/** Columns as wide as their widest text. Ids can be copied whole. */
export function printTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0))
  );
  for (const row of [head, ...rows]) {
    printLine(row.map((text, column) => text.padEnd(widths[column] ?? 0)).join("  ").trimEnd());
  }
}

/** The QR code as SVG, for browsers and printers. */
export function qrPicture(url: string): string {
  return encodeQr(url, "svg", { ecc: "low", border: 4 });
}

function printLink(url: string): void {
  if (isTerminal()) {
    const rows = encodeQr(url, "ascii", { ecc: "low", border: 2 }).trimEnd().split("\n");
    for (const row of rows) printLine(QR_COLOURS[0] + row + QR_COLOURS[1]);
  }
  printLine(url);
}

/** "2026-11-20 18:00:00" of an ISO 8601 time, in this machine's time zone. */
export function localTime(iso: string): string {
  const date = new Date(iso);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  const time = [two(date.getHours()), two(date.getMinutes()), two(date.getSeconds())].join(":");
  return `${day} ${time}`;
}
