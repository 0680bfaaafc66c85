/**
 * Floods by strangers (issue 4, 11): whatever they do at the rendezvous, its memory and the device's stay bounded, and
 * somebody who is paired gets in. Figures are printed, and never decide: only whether each connection comes to stand
 * within the limit of everything visible, and memory.
 */
import assert from "node:assert/strict";
import { chromiumMissing, launchChromium } from "./browser.ts";
import { Child } from "./child.ts";
import { inCheckout } from "./checkout.ts";
import { Home } from "./home.ts";
import type { Porthole } from "./processes.ts";
import type { Shell } from "./shell.ts";

const lack = await chromiumMissing() ??
  (Deno.build.os === "linux" ? undefined : "only Linux lets anybody use all of 127.0.0.0/8");
if (lack !== undefined) {
  Deno.stderr.writeSync(new TextEncoder().encode(`floods are skipped: ${lack}\n`));
}
// Playwright keeps handles of its own until the process ends: sanitizers would count them.
const OPTIONS = { ignore: lack !== undefined, sanitizeOps: false, sanitizeResources: false };

/** Connections of the paired person, calm and during a flood. */
const CONNECTS = Deno.env.get("PORTHOLE_SLOW") ? 8 : 3;
/** From one to the next: a person comes back seldomer than each of the strangers tries. */
const PAUSE_MS = 5000;
/** Ten thousand signatures are made and checked on two busy cores. */
const FLOOD_LIMIT_MS = 300_000;
/** 5,000 devices and 5,000 browsers of 40 KiB each (`rendezvous/limits.ts`), and as much again that V8 did not free yet. */
const RENDEZVOUS_MB = 800;
/** What the device may have more than before: 256 peers, an offer in each lane, and above all what V8 did not free of 20 sessions. */
const DEVICE_MB = 160;

/** `holds`: the flood is in the way also while it does nothing. */
const FLOODS = [
  { kind: "places", holds: true, name: "a crowd that holds every place for browsers" },
  { kind: "unknown", holds: false, name: "questions for devices that do not exist" },
  { kind: "offers", holds: false, name: "strangers' offers to the device from 200 addresses" },
  { kind: "crowd", holds: false, name: "strangers' offers, each from an address of its own" },
  { kind: "devices", holds: true, name: "ten thousand devices that nobody knows" },
] as const;

for (const { kind, holds, name } of FLOODS) {
  Deno.test(`a paired person gets in during ${name}`, OPTIONS, async () => {
    await using home = await Home.start();
    await using browser = await launchChromium();
    const owner = await home.person(browser, String((await home.ask("pair")).url));
    await owner.state("live");
    const before = memory(home);
    const calmBefore = holds ? await connects(owner) : [];
    await home.restartRendezvous(); // what was tried so far counts against the person
    await using flood = startFlood(kind, home);
    await flood.firstJson(FLOOD_LIMIT_MS);
    const spent = { rendezvous: home.rendezvous, device: home.device };
    const cpu = cpuMeter({ ...spent, flood: { child: flood } });
    const { calm, flooded } = holds
      ? { calm: calmBefore, flooded: await connects(owner) }
      : await connectsInTurn(owner, flood);
    const load = cpu();
    if (kind === "devices") {
      await untilWhole(flood);
      await home.stopDevice(); // its place is taken at once
      await home.startDevice();
      await owner.state("live");
    }
    const after = memory(home);
    await flood.stop();
    report({
      kind,
      calm,
      flooded,
      before,
      after,
      load,
      counts: flood.stdout.trim().split("\n").at(-1)!,
    });
    assert.ok(after.rendezvous < RENDEZVOUS_MB, `the rendezvous has ${after.rendezvous} MB`);
    assert.ok(after.device < before.device + DEVICE_MB, `the device has ${after.device} MB`);
  });
}

/** Milliseconds to a live session, again and again. */
async function connects(owner: Shell): Promise<number[]> {
  const times: number[] = [];
  for (let count = 0; count < CONNECTS; count++) times.push(await connect(owner));
  return times.sort((a, b) => a - b);
}

/** The same with the flood held still and let go in turn: whatever else the machine does slows both alike. */
async function connectsInTurn(
  owner: Shell,
  { pid }: Child,
): Promise<{ calm: number[]; flooded: number[] }> {
  const calm: number[] = [];
  const flooded: number[] = [];
  try {
    for (let count = 0; count < CONNECTS; count++) {
      Deno.kill(pid, "SIGSTOP");
      calm.push(await connect(owner));
      Deno.kill(pid, "SIGCONT");
      flooded.push(await connect(owner));
    }
  } finally {
    Deno.kill(pid, "SIGCONT"); // else it hears nothing of its end
  }
  return { calm: calm.sort((a, b) => a - b), flooded: flooded.sort((a, b) => a - b) };
}

/** Milliseconds from the beginning of a reload to a live session. */
async function connect(owner: Shell): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  const begin = performance.now();
  await owner.page.reload();
  await owner.state("live"); // within its limit, or the test fails
  return performance.now() - begin;
}

/** Parts of a core that each process uses from now until the returned function is called. */
function cpuMeter(
  processes: Readonly<Record<string, { readonly child: Child }>>,
): () => Readonly<Record<string, number>> {
  const begin = performance.now();
  const before = Object.values(processes).map(({ child }) => cpuSeconds(child.pid));
  return () => {
    const seconds = (performance.now() - begin) / 1000;
    return Object.fromEntries(
      Object.entries(processes).map(([name, { child }], index) => {
        const part = (cpuSeconds(child.pid) - before[index]!) / seconds;
        return [name, Math.round(part * 100) / 100];
      }),
    );
  };
}

/** `utime` and `stime` of proc(5), which count in hundredths of a second everywhere. */
function cpuSeconds(pid: number): number {
  const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/^.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function startFlood(kind: string, home: Home): Child {
  const script = inCheckout("tests/e2e/flood_process.ts");
  const port = String(home.rendezvous.ready.port);
  return Child.start({
    command: Deno.execPath(),
    args: ["run", "-A", "--no-check", script, kind, port, home.id],
  });
}

async function untilWhole(flood: Child): Promise<void> {
  await flood.find(({ stdout }) => stdout.includes('"whole"') || undefined, {
    what: "end of its work",
    limitMs: FLOOD_LIMIT_MS,
  });
}

/** Resident memory of both processes, in MB. */
function memory(home: Home): { rendezvous: number; device: number } {
  return { rendezvous: residentMb(home.rendezvous), device: residentMb(home.device) };
}

function residentMb({ child }: Porthole): number {
  const status = Deno.readTextFileSync(`/proc/${child.pid}/status`);
  return Math.round(Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024);
}

function report(
  { calm, flooded, ...figures }: {
    kind: string;
    calm: number[];
    flooded: number[];
    before: object;
    after: object;
    load: object;
    counts: string;
  },
): void {
  const p50 = (times: number[]) => Math.round(times[times.length >> 1]!);
  const p95 = (times: number[]) => Math.round(times[Math.ceil(times.length * 0.95) - 1]!);
  const ratio = (p95(flooded) / p95(calm)).toFixed(2);
  const line = {
    ...figures,
    ms: {
      calm: { p50: p50(calm), p95: p95(calm) },
      flooded: { p50: p50(flooded), p95: p95(flooded) },
    },
    ratio,
  };
  Deno.stderr.writeSync(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
}
