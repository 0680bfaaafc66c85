import assert from "node:assert/strict";
import { COMMANDS, readInvocation } from "./commands.ts";
import { UsageError } from "./flags.ts";

const NO_FLAGS = {
  config: undefined,
  name: undefined,
  rendezvous: undefined,
  state: undefined,
  log: undefined,
  services: [],
  cameras: [],
};

Deno.test("run takes the configuration's flags", () => {
  const typed =
    "run --config /c.toml --state=/s --name Gate --rendezvous ws://h --log warn --json " +
    "--service ui=http://h/?a=b --service ssh=tcp://h:22 --camera front=rtsp://u:p@h/1";
  assert.deepEqual(readInvocation(typed.split(" ")), {
    command: "run",
    flags: {
      config: "/c.toml",
      name: "Gate",
      rendezvous: "ws://h",
      state: "/s",
      log: "warn",
      services: [{ id: "ui", target: "http://h/?a=b" }, { id: "ssh", target: "tcp://h:22" }],
      cameras: [{ id: "front", source: "rtsp://u:p@h/1" }],
    },
    json: true,
  });
});

Deno.test("commands have the defaults that their help states", () => {
  assert.deepEqual(readInvocation(["run"]), { command: "run", flags: NO_FLAGS, json: false });
  assert.deepEqual(readInvocation(["pair"]), {
    command: "pair",
    flags: NO_FLAGS,
    windowMs: 600_000,
    qrFile: undefined,
    json: false,
  });
  assert.deepEqual(readInvocation(["demo"]), {
    command: "demo",
    flags: NO_FLAGS,
    port: 8080,
    json: false,
  });
  assert.deepEqual(readInvocation(["rendezvous"]), {
    command: "rendezvous",
    listen: { host: "127.0.0.1", port: 8080 },
    origin: undefined,
    contentOrigin: undefined,
    stunUrls: [],
    turnUrls: [],
    turnSecretFile: undefined,
    log: undefined,
    json: false,
  });
  assert.deepEqual(readInvocation(["--version", "--json"]), { command: "version", json: true });
});

Deno.test("rendezvous takes addresses, origins and servers", () => {
  const typed = "rendezvous --listen [::]:0 --origin https://Meet.example.org/ " +
    "--content-origin https://*.content.example --stun-url stun:a --stun-url stun:b " +
    "--turn-url turn:a --turn-secret-file /s";
  assert.deepEqual(readInvocation(typed.split(" ")), {
    command: "rendezvous",
    listen: { host: "::", port: 0 },
    origin: "https://meet.example.org",
    contentOrigin: "https://*.content.example",
    stunUrls: ["stun:a", "stun:b"],
    turnUrls: ["turn:a"],
    turnSecretFile: "/s",
    log: undefined,
    json: false,
  });
});

Deno.test("lend takes services, cameras, operations, a time, uses and a label", () => {
  const typed = "lend --scope ui,camera:front,service:logs --ops operate,view --for 2h --uses 3 " +
    "--label Plumber --state /s --json";
  assert.deepEqual(readInvocation(typed.split(" ")), {
    command: "lend",
    flags: { ...NO_FLAGS, state: "/s" },
    services: ["ui", "logs"],
    cameras: ["front"],
    operations: ["view", "operate"],
    forMs: 7_200_000,
    uses: 3,
    label: "Plumber",
    json: true,
  });
});

Deno.test("lend lets one browser look, unless more is said", () => {
  const invocation = readInvocation(["lend", "--scope", "camera:front", "--for", "30m"]);
  assert.ok(invocation.command === "lend");
  const { services, cameras, operations, uses, label } = invocation;
  assert.deepEqual({ services, cameras, operations, uses, label }, {
    services: [],
    cameras: ["front"],
    operations: ["view"],
    uses: 1,
    label: undefined,
  });
});

Deno.test("lists, revoke, kick and audit ask the running agent", () => {
  const flags = { ...NO_FLAGS, state: "/s" };
  for (const command of ["owners", "grants", "sessions", "status"]) {
    const typed = [command, "--state", "/s", "--json"];
    assert.deepEqual(readInvocation(typed), { command, flags, json: true });
  }
  for (const command of ["revoke", "kick"]) {
    const typed = [command, "00FFab", "--state", "/s"];
    assert.deepEqual(readInvocation(typed), { command, flags, id: "00ffab", json: false });
  }
  assert.deepEqual(readInvocation(["audit", "--follow", "--state", "/s"]), {
    command: "audit",
    flags,
    follow: true,
    json: false,
  });
});

Deno.test("times have a unit", () => {
  for (
    const [text, ms] of [["90s", 90_000], ["10m", 600_000], ["1h", 3_600_000], ["1d", 86_400_000]]
  ) {
    const invocation = readInvocation(["pair", "--for", String(text)]);
    assert.equal(invocation.command === "pair" && invocation.windowMs, ms);
  }
});

Deno.test("wrong usage is refused in one line with the remedy", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["", "a command is missing; see 'porthole help'"],
    ["rum", `there is no command "rum"; did you mean 'run'?`],
    ["fly", `there is no command "fly"; see 'porthole help'`],
    ["run --stat /s", `there is no option "--stat"; did you mean --state?`],
    ["run --port 1", `there is no option "--port"; see --help`],
    ["run -x", `there is no option "-x"; see --help`],
    ["run extra", `'porthole run' does not take "extra"`],
    ["run --state", "--state needs a value: --state DIR"],
    ["run --state --json", "--state needs a value: --state DIR"],
    ["run --state=", "--state needs a value: --state DIR"],
    ["run --json=yes", "--json takes no value"],
    ["run --name a --name b", "--name is given twice"],
    ["run --log loud", `--log is "loud"; expected one of debug, info, warn, error`],
    [
      "run --service http://h/?a=b",
      `--service is "http://h/?a=b"; expected ID=TEXT, such as ui=http://127.0.0.1:80`,
    ],
    [
      "run --camera rtsp://u:secret@h",
      `--camera is "rtsp://***@h"; expected ID=TEXT, such as ui=http://127.0.0.1:80`,
    ],
    ["pair --for 10", `--for is "10"; expected a time such as 90s, 10m, 1h or 2d`],
    ["pair --for 0m", `--for is "0m"; expected a time such as 90s, 10m, 1h or 2d`],
    ["pair --for 1s", `--for is "1s"; expected 1m to 1d`],
    ["pair --for 2d", `--for is "2d"; expected 1m to 1d`],
    ["lend --for 1h", "--scope is missing; say what to lend, as in --scope ui,camera:front"],
    ["lend --scope ui", "--for is missing; say how long, as in --for 1h"],
    ["lend --scope ui --for 5s", `--for is "5s"; expected 1m to 365d`],
    ["lend --scope ui,*", "--for is missing; say how long, as in --for 1h"],
    ["lend --for 1h --scope ui,*", `--scope is "ui,*"; expected ids, as in ui,camera:front`],
    [
      "lend --for 1h --scope ui --ops all",
      `--ops is "all"; expected some of view,talk,operate, with commas between`,
    ],
    ["lend --for 1h --scope ui --uses 0", `--uses is "0"; expected a number from 1 to 64`],
    ["revoke", "'porthole revoke' needs ID"],
    ["kick xyz", `the id is "xyz"; expected 4 to 32 digits of one from the list`],
    ["demo --port 65536", `--port is "65536"; expected a port from 0 to 65535`],
    ["demo --port x", `--port is "x"; expected a port from 0 to 65535`],
    [
      "rendezvous --listen 8080",
      `--listen is "8080"; expected HOST:PORT, such as 127.0.0.1:8080 or [::]:8080`,
    ],
    [
      "rendezvous --listen ::1:80",
      `--listen is "::1:80"; expected HOST:PORT, such as 127.0.0.1:8080 or [::]:8080`,
    ],
    [
      "rendezvous --origin https://h/path",
      `--origin is "https://h/path"; expected an origin, such as https://meet.example.org`,
    ],
    [
      "rendezvous --origin ftp://h",
      `--origin is "ftp://h"; expected an origin, such as https://meet.example.org`,
    ],
    ["rendezvous --turn-url turn:a", "--turn-url and --turn-secret-file need each other"],
    ["help fly", `there is no command "fly"; see 'porthole help'`],
    ["help run pair", `'porthole help' does not take "pair"`],
  ];
  for (const [typed, message] of cases) {
    const args = typed.split(" ").filter((word) => word !== "");
    assert.throws(() => readInvocation(args), new UsageError(message), typed);
  }
});

Deno.test("help comes from the table, for all commands and for each", () => {
  const all = helpText(["help"]);
  for (const { name, summary, options } of COMMANDS) {
    assert.ok(all.includes(`porthole ${name} `) && all.includes(summary));
    const text = helpText(["help", name]);
    assert.equal(helpText([name, "--help"]), text);
    for (const option of options) {
      assert.ok(text.includes(`--${option.name}`) && text.includes(option.help));
    }
    for (const line of text.split("\n")) assert.ok(line.length <= 100, line);
  }
  assert.equal(helpText(["--help"]), all);
});

Deno.test("pair explains itself", () => {
  assert.equal(
    helpText(["pair", "-h"]),
    `porthole pair [OPTIONS]: print a QR code and a link that make the scanning browser an owner

  --for TIME      how long it may be scanned, as in 90s, 10m, 1h (10m)
  --qr-file FILE  also a picture (SVG), which is there as long as the window
  --config FILE   configuration (/etc/porthole/porthole.toml)
  --state DIR     folder of keys and database (/var/lib/porthole)
  --json          print JSON on stdout and nothing else
`,
  );
});

function helpText(args: readonly string[]): string {
  const invocation = readInvocation(args);
  assert.equal(invocation.command, "help");
  return invocation.command === "help" ? invocation.text : "";
}
