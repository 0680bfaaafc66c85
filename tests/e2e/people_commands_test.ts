/**
 * The commands about people as processes, against an agent that runs: what each prints with `--json`, and with which
 * status it ends. 0: done; 1: failed, one line on stderr; 2: wrong usage. `kick` of a live session is in `lending_test.ts`.
 */
import assert from "node:assert/strict";
import { NO_STACK } from "./log_lines.ts";
import { type Porthole, runPorthole, startPorthole } from "./processes.ts";

/** Nothing listens on the discard port: the agent keeps trying, and answers on its socket all the same. */
const NO_RENDEZVOUS = "ws://127.0.0.1:9";
const LINE_LIMIT_MS = 30_000;
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

type Run = (...args: string[]) => ReturnType<typeof runPorthole>;

async function withAgent(
  work: (run: Run, agent: Porthole & { readonly state: string }) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "porthole-people-" });
  const state = `${folder}/state`;
  const config = `${folder}/porthole.toml`;
  try {
    await Deno.writeTextFile(config, 'clock = "system"\n'); // a container has no time service
    await using agent = await startPorthole({
      args: [
        ...["run", "--config", config, "--state", state, "--rendezvous", NO_RENDEZVOUS, "--json"],
        ...["--service", "ui=http://127.0.0.1:9", "--camera", "front=test:"],
      ],
    });
    await work((...args) => runPorthole({ args: [...args, "--state", state] }), {
      ...agent,
      state,
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What a command printed that must succeed. */
async function done(running: ReturnType<Run>): Promise<string> {
  const { code, stdout, stderr } = await running;
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
  return stdout;
}

async function fails(running: ReturnType<Run>, code: number, words: string): Promise<void> {
  const found = await running;
  assert.doesNotMatch(found.stderr, NO_STACK);
  assert.deepEqual(found, { code, stdout: "", stderr: `porthole: ${words}\n` });
}

Deno.test("commands about people print one JSON object and end with 0", async () => {
  await withAgent(async (run, agent) => {
    const pair = JSON.parse(await done(run("pair", "--json")));
    assert.deepEqual(Object.keys(pair), ["url", "id", "expires"]);
    assert.match(pair.url, /^http:\/\/127\.0\.0\.1:9\/#pair=[\w-]+$/);
    assert.match(pair.id, /^[0-9a-f]{32}$/);
    assert.match(pair.expires, ISO);

    const lend = ["lend", "--scope", "ui,camera:front", "--ops", "view,operate", "--for", "1h"];
    const lent = JSON.parse(
      await done(run(...lend, "--uses", "3", "--label", "Plumber", "--json")),
    );
    assert.deepEqual(Object.keys(lent), ["url", "id", "expires"]);
    assert.match(lent.url, /#borrow=[\w-]+$/);

    const { owners, windows } = JSON.parse(await done(run("owners", "--json")));
    assert.deepEqual([owners, windows.length, windows[0].id], [[], 1, pair.id]);
    assert.match(windows[0].expires, ISO);
    assert.deepEqual(JSON.parse(await done(run("sessions", "--json"))), { sessions: [] });
    const grants = async () => JSON.parse(await done(run("grants", "--json"))).grants;
    const grant = {
      ...{ id: lent.id, label: "Plumber", services: ["ui"], cameras: ["front"] },
      ...{ operations: ["view", "operate"], expires: lent.expires, uses: 3, state: "waiting" },
      guests: [],
    };
    assert.deepEqual(await grants(), [grant]);

    const revoked = JSON.parse(await done(run("revoke", lent.id.slice(0, 8), "--json")));
    assert.deepEqual(revoked, { id: lent.id, kind: "grant" });
    assert.deepEqual(await grants(), [{ ...grant, state: "revoked" }]);

    const lines = (await done(run("audit", "--json"))).trimEnd().split("\n").map((line) =>
      JSON.parse(line)
    );
    assert.deepEqual(
      lines.map(({ sequence, event, grant, detail }) => ({ sequence, event, grant, detail })),
      [
        { sequence: 1, event: "pairing.opened", grant: undefined, detail: "for 600 s" },
        { sequence: 2, event: "grant.lent", grant: lent.id, detail: "Plumber" },
        { sequence: 3, event: "grant.revoked", grant: lent.id, detail: "Plumber" },
      ],
    );
    for (const { at } of lines) assert.match(at, ISO);

    const logged = agent.child.stderr;
    for (const { url } of [pair, lent]) {
      assert.ok(!logged.includes(url.split("=")[1]), "the secret of a link is in the log");
    }
  });
});

Deno.test("commands about people print text for people, with no secret but in the link", async () => {
  await withAgent(async (run) => {
    assert.equal(await done(run("owners")), "There are no owners.\n");
    assert.equal(await done(run("sessions")), "There are no sessions.\n");
    assert.equal(await done(run("grants")), "There are no grants.\n");
    assert.match(
      await done(run("pair", "--for", "1h")),
      /^http.*#pair=.*\nWhoever opens this link first becomes an owner\. It works once, for 1 h\.\n$/,
    );
    const [url, words] = (await done(run("lend", "--scope", "ui", "--for", "2d"))).split("\n");
    assert.match(url!, /#borrow=/);
    assert.match(words!, /^The first browser that opens this link may come in until \d{4}-/);
    const [head, row, end] = (await done(run("grants"))).split("\n");
    assert.match(head!, /^id +label +state +services +cameras +operations +expires +guests$/);
    assert.match(row!, /^[0-9a-f]{32} .* waiting +ui +- +view +\d{4}-\d\d-\d\d .* 0$/);
    assert.equal(end, "");
    const id = row!.slice(0, 32);
    assert.equal(await done(run("revoke", id)), `The grant ${id} is ended.\n`);
    assert.match(await done(run("audit")), /grant\.revoked +at the device +grant [0-9a-f]{8}/);
  });
});

Deno.test("audit --follow goes on until a line comes, and ends well when it is stopped", async () => {
  await withAgent(async (run, { state }) => {
    await done(run("pair", "--json"));
    await using following = await startPorthole({
      args: ["audit", "--follow", "--json", "--state", state],
    });
    assert.equal(following.ready.event, "pairing.opened");
    await done(run("lend", "--scope", "ui", "--for", "1h", "--label", "Later", "--json"));
    const line = await following.child.find(
      ({ stdout }) => stdout.split("\n").length > 2 ? stdout : undefined,
      {
        what: "second line",
        limitMs: LINE_LIMIT_MS,
      },
    );
    const second = JSON.parse(line.split("\n")[1]!);
    assert.deepEqual([second.event, second.detail], ["grant.lent", "Later"]);
    assert.deepEqual(await following.stop(), { code: 0, killed: false });
    assert.equal(following.child.stderr, "");
  });
});

Deno.test("what cannot be done is one line, and status 1", async () => {
  await withAgent(async (run) => {
    await fails(run("revoke", "abcd"), 1, "There is no grant, owner or pairing link 'abcd'");
    await fails(run("kick", "abcd", "--json"), 1, "There is no session 'abcd'");
    const unknown = await run("lend", "--scope", "attic", "--for", "1h");
    assert.deepEqual([unknown.code, unknown.stdout], [1, ""]);
    assert.match(unknown.stderr, /^porthole: .*attic.*\n$/);
  });
});

Deno.test("without an agent every command says so in one line, with status 1", async () => {
  const state = await Deno.makeTempDir({ prefix: "porthole-nobody-" });
  const commands = [
    ["pair"],
    ["lend", "--scope", "ui", "--for", "1h"],
    ["owners"],
    ["grants"],
    ["revoke", "abcd"],
    ["sessions"],
    ["kick", "abcd"],
    ["audit"],
    ["audit", "--follow"],
    ["status"],
  ];
  for (const command of commands) {
    const { code, stdout, stderr } = await runPorthole({ args: [...command, "--state", state] });
    assert.deepEqual([code, stdout], [1, ""], command.join(" "));
    assert.match(stderr, /^porthole: [^\n]+\n$/, command.join(" "));
    assert.ok(stderr.includes(state), stderr);
  }
  await Deno.remove(state, { recursive: true });
});

Deno.test("what was typed wrongly is one line, and status 2", async () => {
  const wrong: readonly (readonly [readonly string[], string])[] = [
    [["pair", "--for", "3s"], `--for is "3s"; expected 1m to 1d`],
    [
      ["lend", "--for", "1h"],
      "--scope is missing; say what to lend, as in --scope ui,camera:front",
    ],
    [["lend", "--scope", "ui"], "--for is missing; say how long, as in --for 1h"],
    [["lend", "--scope", "ui", "--for", "2s"], `--for is "2s"; expected 1m to 365d`],
    [
      ["lend", "--scope", "ui", "--for", "1h", "--ops", "fly"],
      `--ops is "fly"; expected some of view,talk,operate, with commas between`,
    ],
    [
      ["lend", "--scope", "ui", "--for", "1h", "--uses", "65"],
      `--uses is "65"; expected a number from 1 to 64`,
    ],
    [["owners", "all"], `'porthole owners' does not take "all"`],
    [["grants", "--owner", "x"], `there is no option "--owner"; see --help`],
    [["revoke"], "'porthole revoke' needs ID"],
    [["revoke", "xyz"], `the id is "xyz"; expected 4 to 32 digits of one from the list`],
    [["sessions", "--json=yes"], "--json takes no value"],
    [["kick"], "'porthole kick' needs ID"],
    [["audit", "--tail"], `there is no option "--tail"; see --help`],
  ];
  for (const [args, words] of wrong) await fails(runPorthole({ args }), 2, words);
});
