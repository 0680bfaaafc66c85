/**
 * Bad input on the command line and in the configuration: the program as a process, started wrongly. Each mistake gives
 * an exit status (1: failed, 2: wrong usage), lines on stderr that say what is wrong and what to do, and no stack trace.
 */
import assert from "node:assert/strict";
import { NO_STACK } from "./log_lines.ts";
import { type Porthole, runPorthole, startPorthole } from "./processes.ts";

/** Nothing listens on the discard port: the agent keeps trying, and starts all the same. */
const NO_RENDEZVOUS = "ws://127.0.0.1:9";

/** A folder of its own for a test, removed at its end. */
class Folder implements AsyncDisposable {
  private constructor(readonly path: string) {}

  static async create(): Promise<Folder> {
    return new Folder(await Deno.makeTempDir({ prefix: "porthole-bad-start-" }));
  }

  /** Path of a thing in it. */
  at(name: string): string {
    return `${this.path}/${name}`;
  }

  async write(name: string, text: string): Promise<string> {
    await Deno.writeTextFile(this.at(name), text);
    return this.at(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/** Runs a command that must fail, and compares what it leaves behind: its status and all that it wrote. */
async function fails(args: readonly string[], code: number, lines: readonly string[]) {
  const found = await runPorthole({ args });
  assert.doesNotMatch(found.stderr, NO_STACK);
  assert.deepEqual(
    { code: found.code, stdout: found.stdout, stderr: found.stderr.trimEnd().split("\n") },
    { code, stdout: "", stderr: lines.map((line) => `porthole: ${line}`) },
  );
}

/** An agent that runs with this state folder. */
function startAgent(state: string): Promise<Porthole> {
  return startPorthole({
    args: ["run", "--state", state, "--rendezvous", NO_RENDEZVOUS, "--json"],
  });
}

/* ---- what was typed ------------------------------------------------------------------------------------------ */

Deno.test("an unknown command is wrong usage, and the nearest one is named", async () => {
  await fails(["rum"], 2, [`there is no command "rum"; did you mean 'run'?`]);
  await fails(["teleport"], 2, [`there is no command "teleport"; see 'porthole help'`]);
});

Deno.test("no command at all is wrong usage", async () => {
  await fails([], 2, ["a command is missing; see 'porthole help'"]);
});

Deno.test("an unknown flag is wrong usage, and the nearest one is named", async () => {
  await fails(["run", "--rendezvouz", "ws://a"], 2, [
    `there is no option "--rendezvouz"; did you mean --rendezvous?`,
  ]);
});

Deno.test("a flag with a value that cannot be is wrong usage, and its password is not repeated", async () => {
  await fails(["demo", "--port", "eighty"], 2, [
    `--port is "eighty"; expected a port from 0 to 65535`,
  ]);
  const { code, stderr } = await runPorthole({
    args: ["run", "--camera", "rtsp://viewer:hunter2secret@192.168.1.20/1"],
  });
  assert.equal(code, 2);
  assert.match(stderr, /^porthole: --camera /);
  assert.ok(!stderr.includes("hunter2secret"), stderr);
});

/* ---- the configuration --------------------------------------------------------------------------------------- */

Deno.test("a configuration with five mistakes gives one line for each, in the order of the file", async () => {
  await using folder = await Folder.create();
  const file = await folder.write(
    "porthole.toml",
    `name = "Gate"
rendezvous = "http://meet.example.org"
colour = "blue"

[[service]]
id = "UI!"
target = "http://127.0.0.1:80"

[[service]]
id = "good"
target = "ftp://127.0.0.1"

[[camera]]
id = "front"
source = "rtsp://viewer:hunter2secret@192.168.1.20:99999/stream1"
`,
  );
  await fails(["run", "--config", file, "--state", folder.at("state")], 1, [
    `${file}:2: rendezvous is "http://meet.example.org"; expected a ws:// or wss:// URL, such as "wss://meet.example.org"`,
    `${file}:3: unknown key "colour"; known keys are name, rendezvous, state, log, port, clock, metrics, service, camera`,
    `${file}:6: service 1: id is "UI!"; expected 1 to 32 of a-z, 0-9 and "-", not "-" first`,
    `${file}:11: service "good": target: Cannot use the service target "ftp://127.0.0.1": it must begin with http://, https:// or unix:/`,
    `${file}:15: camera "front": source: Cannot read camera address: it names no host: write rtsp://***@host/path`,
  ]);
  await assert.rejects(Deno.stat(folder.at("state")), Deno.errors.NotFound);
});

Deno.test("a configuration that is no TOML or cannot be read gives one line with its place", async () => {
  await using folder = await Folder.create();
  const file = await folder.write(
    "porthole.toml",
    `rendezvous = "ws://a"\n[[camera]]\nid = "front"\nsource = "rtsp://viewer:hunter2secret@10.0.0.9/1\n`,
  );
  await fails(["run", "--config", file], 1, [
    `${file}:4: not TOML: control characters are not allowed in strings`,
  ]);
  const absent = folder.at("absent.toml");
  await fails(["run", "--config", absent], 1, [
    `${absent}: cannot be read (ENOENT); expected a readable TOML file`,
  ]);
});

/* ---- the state folder ---------------------------------------------------------------------------------------- */

Deno.test("a state folder that cannot be made or written is named with the remedy", async () => {
  await using folder = await Folder.create();
  const file = await folder.write("file", "not a folder");
  const remedy =
    "Give the user that runs porthole write access, or name another folder with --state";
  for (
    const [state, reason] of [
      [`${file}/state`, "a part of the path is not a folder"],
      [file, "a part of the path is not a folder"],
      // Root may write below any mode; nobody makes folders in /proc.
      ["/proc/porthole", "porthole may not write there"],
    ] as const
  ) {
    await fails(["run", "--state", state, "--rendezvous", NO_RENDEZVOUS, "--json"], 1, [
      `Cannot create the device's identity in '${state}': ${reason}. ${remedy}`,
    ]);
  }
});

Deno.test("a demo with a state folder that cannot be made says so and ends what it had started", async () => {
  await using folder = await Folder.create();
  const state = `${await folder.write("file", "not a folder")}/state`;
  const { code, stdout, stderr } = await runPorthole({
    args: ["demo", "--port", "0", "--state", state, "--json"],
  });
  assert.deepEqual([code, stdout], [1, ""]);
  assert.doesNotMatch(stderr, NO_STACK);
  const lines = stderr.trimEnd().split("\n");
  assert.match(
    lines.at(-1)!,
    /^porthole: Cannot create the device's identity in '.*': a part of the path is not a folder\. Give/,
  );
  assert.equal(lines.filter((line) => line.startsWith("porthole: ")).length, 1);
});

Deno.test("a second agent with the same state folder is refused, and the first goes on", async () => {
  await using folder = await Folder.create();
  const state = folder.at("state");
  await using first = await startAgent(state);
  await fails(["run", "--state", state, "--rendezvous", NO_RENDEZVOUS, "--json"], 1, [
    `Cannot start in '${state}': porthole is already running with this state folder. Stop it or choose another --state`,
  ]);
  const status = await runPorthole({ args: ["status", "--state", state, "--json"] });
  assert.deepEqual([status.code, JSON.parse(status.stdout).device], [0, first.ready.device]);
  assert.deepEqual(await first.stop(), { code: 0, killed: false });
});

Deno.test("pair and status without a running agent say how to start one", async () => {
  await using folder = await Folder.create();
  const file = await folder.write("file", "not a folder");
  const remedy =
    "it is not running there. Start it with `porthole run`, or name its folder with --state";
  for (const state of [folder.path, folder.at("absent"), `${file}/state`]) {
    await fails(["pair", "--state", state], 1, [`Cannot reach porthole in '${state}': ${remedy}`]);
    await fails(["status", "--state", state, "--json"], 1, [
      `Cannot reach porthole in '${state}': ${remedy}`,
    ]);
  }
});

/* ---- ports --------------------------------------------------------------------------------------------------- */

Deno.test("a port that is taken is named with the remedy, and whoever has it is left alone", async () => {
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => {
    return new Response("still here");
  });
  const { port } = server.addr;
  for (
    const args of [["demo", "--port", `${port}`], ["rendezvous", "--listen", `127.0.0.1:${port}`]]
  ) {
    const { code, stdout, stderr } = await runPorthole({ args: [...args, "--json"] });
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(
      stderr,
      new RegExp(
        `^porthole: Cannot listen on 127\\.0\\.0\\.1:${port}: the port is in use\\. ` +
          "Stop the other program or choose another port \\(--listen; of the demo --port\\)\n$",
      ),
    );
  }
  const answer = await fetch(`http://127.0.0.1:${port}/`);
  assert.equal(await answer.text(), "still here");
});
