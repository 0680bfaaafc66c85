/** The local admin socket of a running porthole against real `curl`: the requests of security.md 2 (CSRF, DNS rebinding). */
import assert from "node:assert/strict";
import { adminSocketPath } from "../../src/control/admin_socket.ts";
import { startPorthole } from "./processes.ts";

const lack = await curlLack();
if (lack !== undefined) {
  Deno.stderr.writeSync(new TextEncoder().encode(`admin against curl is skipped: ${lack}\n`));
}

const JSON_TYPE = ["-H", "Content-Type: application/json"];
const PAIR = ["-d", '{"for":600}'];
const STATUS_URL = "http://localhost/status";
const PAIR_URL = "http://localhost/pair";
const UPGRADE = ["-H", "Connection: Upgrade", "-H", "Upgrade: websocket"];
const KEY = [
  "-H",
  "Sec-WebSocket-Version: 13",
  "-H",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

/** What a browser would make of a hostile page's request, if one ever reached the socket. */
const REFUSED: readonly { readonly request: string; readonly args: readonly string[] }[] = [
  { request: "a foreign Host", args: ["-H", "Host: evil.example", STATUS_URL] },
  {
    request: "a Host that only begins like ours",
    args: ["-H", "Host: localhost.evil.example", STATUS_URL],
  },
  { request: "an Origin", args: ["-H", "Origin: http://evil.example", STATUS_URL] },
  { request: "a Referer", args: ["-H", "Referer: http://localhost/", STATUS_URL] },
  {
    request: "an absolute target",
    args: ["--request-target", "http://localhost/status", STATUS_URL],
  },
  { request: "a POST as text", args: ["-H", "Content-Type: text/plain", ...PAIR, PAIR_URL] },
  { request: "a WebSocket", args: [...UPGRADE, ...KEY, STATUS_URL] },
];

Deno.test({
  name: "the admin socket answers curl with 403 to all that a page could send",
  ignore: lack !== undefined,
  async fn() {
    await using demo = await startPorthole({ args: ["demo", "--port", "0", "--json"] });
    const socket = adminSocketPath(String(demo.ready.state));
    // The same requests without what is foreign in them are answered: it is not curl that is refused.
    assert.deepEqual(await ask(socket, [STATUS_URL]), 200);
    assert.deepEqual(await ask(socket, [...JSON_TYPE, ...PAIR, PAIR_URL]), 200);
    for (const { request, args } of REFUSED) {
      assert.equal(await ask(socket, args), 403, request);
    }
    assert.deepEqual(await ask(socket, [STATUS_URL]), 200);
  },
});

/** Status of the answer. */
async function ask(socket: string, args: readonly string[]): Promise<number> {
  const { stdout } = await new Deno.Command("curl", {
    args: [
      ...["--silent", "--http1.1", "--max-time", "30", "--output", "/dev/null"],
      ...["--write-out", "%{http_code}", "--unix-socket", socket, ...args],
    ],
    stderr: "null",
  }).output();
  return Number(new TextDecoder().decode(stdout));
}

async function curlLack(): Promise<string | undefined> {
  try {
    const { success } = await new Deno.Command("curl", { args: ["--version"] }).output();
    return success ? undefined : "curl does not run";
  } catch {
    return "there is no curl on this machine";
  }
}
