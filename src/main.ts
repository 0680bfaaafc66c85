/**
 * The composition root and the table of contents of the command line: reads what was typed, connects the parts, and is
 * the only place that exits. Errors become one line on stderr: 1 for a failure, 2 for wrong usage.
 */
import { hostname } from "node:os";
import process from "node:process";
import { type Invocation, readInvocation, type RendezvousInvocation } from "./commands.ts";
import { ConfigError, loadConfig } from "./config.ts";
import { UsageError } from "./flags.ts";
import { configureLog, createLog, type LogLevel } from "./lib/log_sink.ts";
import { type Assets, readAssets } from "./platform/assets.ts";
import { giveUpStartingPrograms } from "./platform/permissions.ts";
import { currentRuntime, demandAbleRuntime, listenForStop } from "./platform/runtime.ts";
import { openServiceManager } from "./platform/service_manager.ts";
import { askAgent } from "./run_agent_command.ts";
import { startDemo } from "./run_demo.ts";
import { PARSERS, startDevice } from "./run_device.ts";
import { runDoctor } from "./run_doctor.ts";
import { makeRendezvous, typedOrigins } from "./run_rendezvous.ts";
import { printJson, printLine, printPairing } from "./terminal.ts";
import { type Build, VERSION } from "./version.ts";

/** What the program is started with. An artefact brings its files and its making along; a checkout reads them. */
export interface MainOptions extends Build {
  readonly args: readonly string[];
  /** Asked for by commands that serve files; `version` and `pair` need none. */
  readonly assets: () => Promise<Assets>;
}

/** Runs one command and gives the exit status. Never throws. */
export async function main(options: MainOptions): Promise<number> {
  try {
    const invocation = readInvocation(options.args);
    const level = "flags" in invocation ? invocation.flags.log : undefined;
    startLog(level ?? ("log" in invocation ? invocation.log : undefined));
    await perform(invocation, options);
    return 0;
  } catch (error) {
    return report(error);
  }
}

async function perform(invocation: Invocation, options: MainOptions): Promise<void> {
  if (invocation.command === "version") return version(invocation.json, options);
  if (invocation.command === "help") return printLine(invocation.text.trimEnd());
  demandAbleRuntime();
  switch (invocation.command) {
    case "run":
      return await run(invocation, options);
    case "demo":
      return await demo(invocation, options);
    case "rendezvous":
      return await rendezvous(invocation, await options.assets());
    case "doctor":
      return await runDoctor(invocation, options.assets);
    default:
      return await ask(invocation);
  }
}

/* ---- commands -------------------------------------------------------------------------------------------- */

async function run(typed: Invocation & { command: "run" }, options: MainOptions): Promise<void> {
  const config = await loadConfig({
    flags: typed.flags,
    defaults: { name: hostname() },
    parsers: PARSERS,
  });
  startLog(config.log);
  if (!config.cameras.some(({ source }) => source.type === "exec")) await giveUpStartingPrograms();
  await serve(async () => {
    const { builtAt } = options;
    const device = await startDevice(config, { assets: await options.assets(), builtAt });
    const { state, rendezvous } = config;
    const services = config.services.map(({ id }) => id);
    const cameras = config.cameras.map(({ id }) => id);
    if (typed.json) printJson({ device: device.id, state, rendezvous, services, cameras });
    else printLine(`This device is ${device.id}. 'porthole pair' lets a browser in.`);
    return device;
  });
}

async function demo(typed: Invocation & { command: "demo" }, options: MainOptions): Promise<void> {
  await serve(async () => {
    const { builtAt } = options;
    const demo = await startDemo(typed, { assets: await options.assets(), builtAt });
    const { shell, pairing, device, state, services, cameras } = demo;
    if (typed.json) {
      printJson({ shell, pair: pairing.url, device, state, services, cameras });
    } else {
      printPairing(pairing.url, pairing.expires);
      printLine(`The shell is at ${shell} and this stops with Ctrl-C.`);
    }
    return demo;
  });
}

async function rendezvous(typed: RendezvousInvocation, assets: Assets): Promise<void> {
  await serve(async () => {
    const origins = typedOrigins(typed);
    const server = await makeRendezvous(typed, { origins, assets });
    const { port } = await server.listen();
    if (typed.json) printJson({ port, origin: origins.shell, contentOrigin: origins.content });
    else printLine(`The shell is at ${origins.shell}`);
    return server;
  });
}

/** Ends early, and well, when somebody presses Ctrl-C: what was asked for has been done. */
async function ask(typed: Parameters<typeof askAgent>[0]): Promise<void> {
  const stop = listenForStop();
  try {
    await askAgent(typed, stop.signal);
  } finally {
    stop[Symbol.dispose]();
  }
}

function version(json: boolean, { commit, packaged }: MainOptions): void {
  const { name, version, arch, sqlite } = currentRuntime();
  const found = {
    version: VERSION,
    commit,
    runtime: `${name} ${version}`,
    arch,
    packaged,
    sqlite,
  };
  if (json) return printJson(found);
  printLine(
    `porthole ${VERSION} (${commit ?? "no commit"}) on ${name} ${version}, ${arch}, ${packaged}`,
  );
}

/* ---- around them ----------------------------------------------------------------------------------------- */

function startLog(level: LogLevel = "info"): void {
  configureLog({ level, format: process.stderr.isTTY ? "text" : "json" });
}

/** What runs until it is stopped. */
interface Server {
  /** Whether it does its work; one that cannot tell does. */
  isHealthy?(): boolean;
  close(): Promise<void>;
}

/** Starts something, waits for the first signal that asks for an end, and for that end. systemd is told of each step. */
async function serve(start: () => Promise<Server>): Promise<void> {
  const stop = listenForStop();
  const manager = openServiceManager();
  try {
    const server = await start();
    manager.ready(`porthole ${VERSION} serves`, () => server.isHealthy?.() ?? true);
    if (!stop.signal.aborted) {
      await new Promise((resolve) => stop.signal.addEventListener("abort", resolve));
    }
    createLog("main").info("main.stopping", { signal: String(stop.signal.reason) });
    manager.stopping();
    await server.close();
  } finally {
    await manager.close();
    stop[Symbol.dispose]();
  }
}

/** People see what went wrong and what to do, never a stack trace. */
function report(error: unknown): number {
  const lines = error instanceof ConfigError ? error.problems : [errorText(error)];
  for (const line of lines) process.stderr.write(`porthole: ${line}\n`);
  return error instanceof UsageError ? 2 : 1;
}

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

if (import.meta.main) {
  const assets = () => readAssets(new URL("../", import.meta.url));
  process.exit(await main({ args: process.argv.slice(2), assets, packaged: "source" }));
}
