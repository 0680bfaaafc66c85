/** The most memory that processes ever had resident, as Linux counts it for each. In MB, which are 10^6 bytes. */

/** Of one process. */
export async function peakOf(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? [];
  if (kibibytes === undefined) throw new Error(`Cannot tell the peak of process ${pid}: no VmHWM`);
  return Number(kibibytes) * 1024 / 1e6;
}

/** Of the largest process below this one whose command line matches: of a browser's pages, one is the page's own. */
export async function largestPeakBelow(ancestor: number, command: RegExp): Promise<number> {
  const parents = new Map<number, number>();
  for await (const { name } of Deno.readDir("/proc")) {
    const parent = /^\d+$/.test(name) ? await parentOf(Number(name)) : undefined;
    if (parent !== undefined) parents.set(Number(name), parent);
  }
  let largest = 0;
  for (const pid of parents.keys()) {
    if (!isBelow(pid, { ancestor, parents })) continue;
    const line = await Deno.readTextFile(`/proc/${pid}/cmdline`).catch(() => "");
    if (!command.test(line)) continue;
    largest = Math.max(largest, await peakOf(pid).catch(() => 0)); // it may have ended
  }
  if (largest === 0) throw new Error(`Cannot tell a peak: no process matches ${command}`);
  return largest;
}

async function parentOf(pid: number): Promise<number | undefined> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "");
  const [, parent] = /^PPid:\s+(\d+)$/m.exec(status) ?? [];
  return parent === undefined ? undefined : Number(parent);
}

function isBelow(
  pid: number,
  { ancestor, parents }: { ancestor: number; parents: ReadonlyMap<number, number> },
): boolean {
  for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at)) {
    if (at === ancestor) return true;
  }
  return false;
}
