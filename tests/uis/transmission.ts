/** Transmission's daemon with its own web client, behind a password, and what it says when asked directly. */
import assert from "node:assert/strict";
import type { Place, Program, ProgramPlan } from "./program.ts";

export const USER = "anna";
export const PASSWORD = "correct horse";
export const OTHER_FOLDER = "/tmp/somewhere-else";
const COMMAND = "/usr/bin/transmission-daemon";

async function prepare({ folder, port }: Place) {
  const settings = {
    "rpc-port": port,
    "rpc-bind-address": "127.0.0.1",
    "rpc-authentication-required": true,
    "rpc-username": USER,
    "rpc-password": PASSWORD,
    "rpc-whitelist-enabled": true,
    "rpc-host-whitelist-enabled": true,
    "peer-port-random-on-start": true,
    "dht-enabled": false,
    "lpd-enabled": false,
    "port-forwarding-enabled": false,
    "download-dir": `${folder}/downloads`,
    "start-added-torrents": false,
  };
  await Deno.writeTextFile(`${folder}/settings.json`, JSON.stringify(settings));
  return { command: COMMAND, args: ["--foreground", "--config-dir", folder] };
}

export const PLAN: ProgramPlan = { needs: [COMMAND], prepare, readyPath: "/transmission/web/" };

/** A question to the daemon itself, without us. */
export async function rpc(
  { url }: Program,
  { method, fields }: { method: string; fields: string[] },
): Promise<Record<string, unknown>> {
  const authorization = `Basic ${btoa(`${USER}:${PASSWORD}`)}`;
  const ask = (id: string) =>
    fetch(`${url}/transmission/rpc`, {
      method: "POST",
      headers: { authorization, "x-transmission-session-id": id },
      body: JSON.stringify({ method, arguments: { fields } }),
    });
  const refused = await ask("");
  await refused.body?.cancel();
  assert.equal(refused.status, 409);
  const answer = await ask(refused.headers.get("x-transmission-session-id") ?? "");
  return (await answer.json()).arguments;
}

/** Whether it keeps what it fetches in `OTHER_FOLDER`. */
export async function hasOtherFolder(program: Program): Promise<boolean> {
  return (await rpc(program, { method: "session-get", fields: ["download-dir"] }))[
    "download-dir"
  ] ===
    OTHER_FOLDER;
}
