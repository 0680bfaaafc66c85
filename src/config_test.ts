import assert from "node:assert/strict";
import {
  type Config,
  ConfigError,
  type ConfigFlags,
  DEFAULT_STATE_FOLDER,
  findState,
  loadConfig,
  parseConfig,
} from "./config.ts";

/** Stand-ins for the parsers of upstream/ and camera/: they take any text with a scheme that they know. */
const PARSERS = {
  target(text: string): { target: string } {
    if (/^(https?|unix|tcp):/.test(text)) return { target: text };
    throw new SyntaxError(
      `Cannot read the target "${text}": expected http:, https:, unix: or tcp:`,
    );
  },
  source(text: string, options: { transport?: string }): { source: string; transport?: string } {
    if (/^(rtsp|test):/.test(text)) return { source: text, ...options };
    const password = /:([^:@/]+)@/.exec(text)?.[1];
    throw new SyntaxError(
      `Cannot read the source "${text}" (${password}): expected rtsp: or test:`,
    );
  },
};
type Parsed = Config<{ target: string }, { source: string }>;

const DEFAULTS = { name: "board" };

function read(text: string | undefined, flags: ConfigFlags = {}): Parsed {
  const file = text === undefined ? undefined : { path: "gate.toml", text };
  return parseConfig(file, { flags, defaults: DEFAULTS, parsers: PARSERS });
}

function problemsOf(text: string | undefined, flags: ConfigFlags = {}): readonly string[] {
  try {
    read(text, flags);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

const COMPLETE = `
name = "Front gate"
rendezvous = "wss://meet.example.org"
state = "/srv/porthole"
log = "debug"
port = 51820
clock = "system"
[[service]]
id = "ui"
title = "Gate controller"
target = "https://127.0.0.1:443"
pin = "${"AB:".repeat(31)}CD"
host = "keep"
[[service]]
id = "app"
target = "unix:/run/app.sock"
[[camera]]
id = "front"
source = "rtsp://user:secret@192.168.1.20/stream1"
transport = "udp"
`;

Deno.test("a complete file gives a frozen configuration", () => {
  const config = read(COMPLETE);
  assert.deepEqual(config, {
    name: "Front gate",
    rendezvous: "wss://meet.example.org",
    state: "/srv/porthole",
    log: "debug",
    port: 51_820,
    clock: "system",
    services: [
      {
        id: "ui",
        title: "Gate controller",
        target: { target: "https://127.0.0.1:443" },
        pin: `${"ab".repeat(31)}cd`,
        verify: true,
        host: "keep",
      },
      {
        id: "app",
        title: "app",
        target: { target: "unix:/run/app.sock" },
        verify: true,
        host: "target",
      },
    ],
    cameras: [{
      id: "front",
      title: "front",
      source: { source: "rtsp://user:secret@192.168.1.20/stream1", transport: "udp" },
    }],
  });
  for (const part of [config, config.services, config.services[0], config.cameras]) {
    assert.ok(Object.isFrozen(part));
  }
});

Deno.test("flags alone are enough", () => {
  const config = read(undefined, {
    rendezvous: "ws://127.0.0.1:1",
    services: [{ id: "ui", target: "http://127.0.0.1:80" }],
    cameras: [{ id: "front", source: "test:" }],
  });
  assert.equal(config.name, "board");
  assert.equal(config.state, DEFAULT_STATE_FOLDER);
  assert.equal(config.log, "info");
  assert.equal(config.port, 0);
  assert.equal(config.clock, "auto");
  assert.deepEqual(config.services.map(({ id }) => id), ["ui"]);
  assert.deepEqual(config.cameras.map(({ title }) => title), ["front"]);
});

Deno.test("flags win over the file, by id for services and cameras", () => {
  const config = read(COMPLETE, {
    name: "Back gate",
    services: [{ id: "ui", target: "http://127.0.0.1:81" }],
  });
  assert.equal(config.name, "Back gate");
  assert.equal(config.rendezvous, "wss://meet.example.org");
  assert.deepEqual(config.services.map(({ id, target }) => [id, target.target]), [
    ["app", "unix:/run/app.sock"],
    ["ui", "http://127.0.0.1:81"],
  ]);
});

Deno.test("five mistakes in one file give five lines", () => {
  const text = `rendezvous = "https://meet.example.org"
[[service]]
id = "UI panel"
taget = "http://127.0.0.1:80"

[[camera]]
id = "front"
source = "rtps://admin:hunter2@192.168.1.20/stream1"
[[camera]]
id = "front"
source = "test:"
`;
  assert.deepEqual(problemsOf(text), [
    'gate.toml:1: rendezvous is "https://meet.example.org"; expected a ws:// or wss:// URL, such as "wss://meet.example.org"',
    'gate.toml:3: service 1: id is "UI panel"; expected 1 to 32 of a-z, 0-9 and "-", not "-" first',
    'gate.toml:4: service 1: unknown key "taget"; did you mean "target"?',
    'gate.toml:8: camera "front": source: Cannot read the source "rtps://***@192.168.1.20/stream1" (***): expected rtsp: or test:',
    'gate.toml:10: camera "front": the id is used already at gate.toml:7; expected another',
  ]);
});

Deno.test("each kind of mistake is named with its place and what would be right", () => {
  const head = 'rendezvous = "ws://h"\n';
  const cases: readonly (readonly [string, ConfigFlags, string])[] = [
    ["", {}, "gate.toml:1: rendezvous is missing; expected a ws:// or wss:// URL"],
    [head, { rendezvous: "h" }, '--rendezvous: rendezvous is "h"; expected a ws://'],
    [
      `${head}[[services]]\nid = "a"`,
      {},
      'gate.toml:2: unknown key "services"; did you mean "service"?',
    ],
    [
      `${head}colour = 1`,
      {},
      'gate.toml:2: unknown key "colour"; known keys are name, rendezvous,',
    ],
    [`${head}log = "loud"`, {}, 'gate.toml:2: log is "loud"; expected one of "debug", "info"'],
    [`${head}port = 70000`, {}, "gate.toml:2: port is 70000; expected a UDP port from 0 to 65535"],
    [`${head}port = "51820"`, {}, 'gate.toml:2: port is "51820"; expected a UDP port'],
    [
      `${head}service = 3`,
      {},
      "gate.toml:2: service is 3; expected tables, each under a line [[service]]",
    ],
    [`${head}service = [3]`, {}, "gate.toml:2: service 1: is 3; expected a table"],
    [
      `${head}[[service]]\nid = "a"\ntarget = "ftp://h"`,
      {},
      'gate.toml:4: service "a": target: Cannot read the target "ftp://h"',
    ],
    [
      `${head}[[service]]\nid = "a"\ntarget = "https://a"\nverify = "no"`,
      {},
      'gate.toml:5: service "a": verify is "no"; expected true or false, without quotes',
    ],
    [
      `${head}[[service]]\nid = "a"\ntarget = "https://a"\npin = "12"`,
      {},
      'gate.toml:5: service "a": pin is "12"; expected the SHA-256',
    ],
    [
      `${head}[[camera]]\nid = "a"\nsource = "test:"\ntransport = "x"`,
      {},
      'gate.toml:5: camera "a": transport is "x"; expected "tcp" or "udp"',
    ],
    [
      head,
      { services: [{ id: "a", target: "x" }] },
      '--service: service "a": target: Cannot read the target "x"',
    ],
    [
      head,
      { services: [{ id: "a", target: "tcp:1" }, { id: "a", target: "tcp:2" }] },
      '--service: service "a": the id is used already',
    ],
    [`${head}title "x"\npassword = "hunter2"`, {}, "gate.toml:2: not TOML: "],
    [
      head + '[[camera]]\nid = "c-"\nsource = "test:"\n'.repeat(33),
      {},
      'gate.toml:6: camera "c-": the id is used already',
    ],
  ];
  for (const [text, flags, expected] of cases) {
    const [first = "nothing"] = problemsOf(text, flags);
    assert.ok(first.startsWith(expected), `${first}\nshould begin with\n${expected}`);
    assert.doesNotMatch(first, /hunter2|\n/);
  }
});

Deno.test("a service's certificate is trusted in one way only, and only for https", () => {
  const service = (target: string, ...lines: string[]) =>
    ['rendezvous = "ws://h"', "[[service]]", 'id = "a"', `target = "${target}"`, ...lines].join(
      "\n",
    );
  const pin = `pin = "${"0".repeat(64)}"`;
  for (const line of ["", "verify = true", "verify = false", 'ca = "/ca.pem"', pin]) {
    assert.deepEqual(problemsOf(service("https://h", line)), []);
  }
  const bad: readonly (readonly [string, string])[] = [
    [
      service("https://h", pin, "verify = false"),
      '6: service "a": pin and verify exclude each other; expected one of them',
    ],
    [
      service("http://h", pin),
      '5: service "a": pin is for targets that begin with https://; expected none here',
    ],
  ];
  for (const [text, problem] of bad) assert.deepEqual(problemsOf(text), [`gate.toml:${problem}`]);
});

Deno.test("more services than a page can show are refused", () => {
  const services = Array.from({ length: 33 }, (_, n) => ({ id: `s${n}`, target: "tcp:a" }));
  assert.deepEqual(problemsOf('rendezvous = "ws://h"', { services }), [
    '--service: service "s32": is one too many; expected at most 32',
  ]);
});

Deno.test("a file that was asked for must be there", async () => {
  const options = { flags: { config: "/nowhere/gate.toml" }, defaults: DEFAULTS, parsers: PARSERS };
  await assert.rejects(loadConfig(options), {
    name: "ConfigError",
    message: "/nowhere/gate.toml: cannot be read (ENOENT); expected a readable TOML file",
  });
});

Deno.test("the state folder is found by flag, file and default, in that order", async () => {
  const file = await Deno.makeTempFile({ suffix: ".toml" });
  await Deno.writeTextFile(file, 'state = "/srv/a"\nrendezvous = 1\n');
  assert.equal(await findState({ state: "/srv/b", config: file }), "/srv/b");
  assert.equal(await findState({ config: file }), "/srv/a");
  await Deno.writeTextFile(file, "");
  assert.equal(await findState({ config: file }), DEFAULT_STATE_FOLDER);
  await Deno.remove(file);
});

Deno.test("metrics are served nowhere, on this machine, or where it is said", () => {
  const metricsOf = (line: string) =>
    parseConfig({ path: "p.toml", text: `rendezvous = "ws://a"\n${line}\n` }, {
      flags: {},
      defaults: { name: "Board" },
      parsers: { target: String, source: String },
    }).metrics;
  assert.equal(metricsOf(""), undefined);
  assert.deepEqual(metricsOf("metrics = 9469"), { host: "127.0.0.1", port: 9469 });
  assert.deepEqual(metricsOf('metrics = "0.0.0.0:1"'), { host: "0.0.0.0", port: 1 });
  assert.deepEqual(metricsOf('metrics = "[::1]:9469"'), { host: "::1", port: 9469 });
  for (const wrong of ["true", "70000", '"9469"', '":9469"', '"a:99999"', '"::1:9469"']) {
    assert.throws(() => metricsOf(`metrics = ${wrong}`), /metrics is .*; expected a port of this/);
  }
});
