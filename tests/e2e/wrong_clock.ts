/**
 * A wrong clock for one program: Debian's libfaketime under it, which changes what the time is and leaves alone how fast
 * it runs. `LIBFAKETIME` names the library where it is not installed.
 */
import { Child } from "./child.ts";
import { exists } from "./checkout.ts";

const LIMIT_MS = 30_000;
const NAME = "libfaketime.so.1";
/** Debian's folder of libraries for each processor. */
const TRIPLETS: Readonly<Record<string, string>> = {
  x86_64: "x86_64-linux-gnu",
  aarch64: "aarch64-linux-gnu",
};

/** Environment of a program for which it is the first day of `year` when it starts. */
export function clockAt(year: number): Readonly<Record<string, string>> {
  return {
    LD_PRELOAD: libraryPath(),
    FAKETIME: `@${year}-01-01 00:00:00`,
    FAKETIME_DONT_FAKE_MONOTONIC: "1", // else timers wait for years
    TZ: "UTC",
  };
}

/** Why no clock can be wrong on this machine; undefined if one can. For `Deno.test({ ignore })`. */
export async function wrongClockMissing(): Promise<string | undefined> {
  const library = libraryPath();
  if (!await exists(library)) {
    return `there is no ${library}: install Debian's libfaketime, or set LIBFAKETIME`;
  }
  const script = "console.log(JSON.stringify({ year: new Date().getUTCFullYear() }))";
  await using child = Child.start({
    command: Deno.execPath(),
    args: ["eval", script],
    env: { ...clockAt(2000), NO_COLOR: "1" },
  });
  const said = await child.firstJson(LIMIT_MS).catch((error: unknown) => String(error));
  const works = typeof said === "object" && said.year === 2000;
  return works ? undefined : `Deno does not run under libfaketime: ${JSON.stringify(said)}`;
}

function libraryPath(): string {
  const path = `/usr/lib/${TRIPLETS[Deno.build.arch]}/faketime/${NAME}`;
  return Deno.env.get("LIBFAKETIME") ?? path;
}
