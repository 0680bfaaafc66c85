/**
 * Deletes one verification after the other, in a copy of the checkout, and runs the test that must go red: what a check is
 * good for is shown by what fails without it. Slow: `deno task test:steps [<part of a file's name or of a check>]`.
 */
import { HARNESS_STEPS, STEPS } from "./steps.ts";
import { type Step, withoutCheck } from "./step.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
/** What the tests of the table need. */
const COPIED = ["src", "tests/evil_rendezvous", "tests/vectors", "tests/vnet", "web/deno.json"];
const COPIED_FILES = ["deno.json", "deno.lock"];
const LIMIT_MS = 10 * 60_000;
/** Of the evil rendezvous: enough to come upon each attack that is named here many times. */
const EVIL_RUNS = "1200";

type Verdict = "red" | "GREEN" | "NOT RUN";

/** A copy of the checkout in which one check at a time is missing. */
class Copy {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async make(): Promise<Copy> {
    const folder = await Deno.makeTempDir({ prefix: "porthole-steps-" });
    for (const path of [...COPIED, ...COPIED_FILES]) {
      await Deno.mkdir(`${folder}/${path}`.replace(/\/[^/]+$/, ""), { recursive: true });
      await copy(`${ROOT}${path}`, `${folder}/${path}`);
    }
    return new Copy(folder);
  }

  async without(step: Step): Promise<{ verdict: Verdict; output: string }> {
    const path = `${this.#folder}/${step.file}`;
    const source = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, withoutCheck(source, step));
    try {
      return await this.#test(step);
    } finally {
      await Deno.writeTextFile(path, source);
    }
  }

  async remove(): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #test({ test: { file, name } }: Step): Promise<{ verdict: Verdict; output: string }> {
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "-A", "--no-check", "--filter", name, file],
      cwd: this.#folder,
      env: { NO_COLOR: "1", PORTHOLE_EVIL_RUNS: EVIL_RUNS },
      signal: AbortSignal.timeout(LIMIT_MS),
    }).output();
    const output = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("\n");
    const isRed = output.split(" FAILURES ")[1]?.includes(`${name} => ./${file}`);
    // A file that cannot be loaded fails as well, and shows nothing.
    return { verdict: isRed ? "red" : success ? "GREEN" : "NOT RUN", output };
  }
}

async function copy(from: string, to: string): Promise<void> {
  if (!(await Deno.stat(from)).isDirectory) return await Deno.copyFile(from, to);
  await Deno.mkdir(to, { recursive: true });
  for await (const { name } of Deno.readDir(from)) await copy(`${from}/${name}`, `${to}/${name}`);
}

async function main(): Promise<void> {
  const [wanted = ""] = Deno.args;
  const steps = [...STEPS, ...HARNESS_STEPS].filter(({ file, what, test }) =>
    [file, what, test.file].some((text) => text.includes(wanted))
  );
  const waiting = [...steps];
  const counts: Record<Verdict, number> = { red: 0, GREEN: 0, "NOT RUN": 0 };
  const work = async () => {
    const copy = await Copy.make();
    try {
      for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
        const { verdict, output } = await copy.without(step);
        counts[verdict]++;
        print(`${verdict.padEnd(8)} ${step.file}: ${step.what} -> ${step.test.name}`);
        if (verdict === "NOT RUN") print(output.slice(-1500));
      }
    } finally {
      await copy.remove();
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, navigator.hardwareConcurrency) }, work));
  print(`${steps.length} checks: ${JSON.stringify(counts)}`);
  if (counts.red !== steps.length) Deno.exit(1);
}

function print(line: string): void {
  // deno-lint-ignore no-console -- this is a command
  console.log(line);
}

await main();
