/** What artefacts say of the sources that they are made of. */
import { run } from "./process.ts";

const ROOT = new URL("../", import.meta.url).pathname;

/** Unix seconds of the commit, or `SOURCE_DATE_EPOCH`: artefacts have this time and not that of their making. */
export async function sourceTime(): Promise<number> {
  const given = Deno.env.get("SOURCE_DATE_EPOCH");
  return Number(given ?? await run("git", ["log", "-1", "--format=%ct"], { cwd: ROOT }));
}

/** As 2026-11-20. */
export function dateText(time: number): string {
  return new Date(time * 1000).toISOString().slice(0, 10);
}
