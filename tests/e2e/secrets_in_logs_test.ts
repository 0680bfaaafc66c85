/**
 * No secret is in any log: a whole run of real processes that log all they can (pairing, pages, a WebSocket, a camera with
 * a password, a reconnection, lending, borrowing, revoking), and then a search through everything that they wrote for everything that was secret in it.
 * Each secret is first found where it rightly stands (`needles.ts`).
 */
import assert from "node:assert/strict";
import type { Browser } from "playwright-core";
import { RtspServer, rtspServerLack } from "../contract/rtsp_camera.ts";
import { type Bytes, fromBase64Url, toHex } from "../../src/lib/bytes.ts";
import { readTransport } from "../../src/protocol/sdp.ts";
import { hkdfSha256 } from "../../src/trust/digest.ts";
import { decodeInviteLink } from "../../src/trust/invite_link.ts";
import { chromiumMissing, launchChromium } from "./browser.ts";
import { HostileService } from "./hostile_service.ts";
import { ProbedService } from "./isolation/service.ts";
import { logged, NO_STACK, untilLogged } from "./log_lines.ts";
import { byteNeedle, found, keyNeedles, type Needle, textNeedle } from "./needles.ts";
import { type Porthole, runPorthole, startPorthole } from "./processes.ts";
import { Shell } from "./shell.ts";
import { freePort } from "./free_port.ts";

const HOST = "127.0.0.1";
const CAMERA_PASSWORD = "camera&p@ss:word#1";
const PAGE_PATH = "/bait?session=page-secret-1";
const PAGE_COOKIE = "page-cookie-2";
const PAGE_HEADER = "page-header-3";
const SOCKET_TEXT = "socket text 4";
/** Parts of any session description and any candidate (RFC 8866 5, RFC 8839 5.1). */
const SDP_WORDS = [
  "v=0",
  "m=application",
  "a=ice-ufrag",
  "a=fingerprint",
  "a=candidate",
  "typ host",
];

const lack = await chromiumMissing() ?? rtspServerLack();
if (lack !== undefined) {
  Deno.stderr.writeSync(new TextEncoder().encode(`secrets in logs is skipped: ${lack}\n`));
}

// Playwright keeps handles of its own until the process ends: sanitizers would count them.
const OPTIONS = { ignore: lack !== undefined, sanitizeOps: false, sanitizeResources: false };

/** What ran, and what it wrote. */
interface Run {
  readonly state: string;
  readonly rendezvous: Porthole;
  readonly device: Porthole;
  /** What commands printed that are not meant to print a secret. */
  readonly printed: string[];
  readonly needles: Needle[];
}

Deno.test("no secret of a whole run is in what its programs write", OPTIONS, async () => {
  const state = await Deno.makeTempDir({ prefix: "porthole-secrets-" });
  const camera = await RtspServer.start("--user", "viewer", "--password", CAMERA_PASSWORD);
  const source = `rtsp://viewer:${
    encodeURIComponent(CAMERA_PASSWORD)
  }@${HOST}:${camera.port}/stream1`;
  await using page = await ProbedService.start("page");
  await using socket = await HostileService.start();
  const port = freePort();
  await using rendezvous = await startPorthole({
    args: ["rendezvous", "--listen", `${HOST}:${port}`, "--log", "debug", "--json"],
  });
  await using device = await startPorthole({
    args: [
      ...["run", "--state", state, "--rendezvous", `ws://${HOST}:${port}`],
      ...["--service", `page=${page.url}`, "--service", `socket=${socket.url}`],
      ...["--camera", `gate=${source}`, "--log", "debug", "--json"],
    ],
  });
  await untilLogged(rendezvous, "device.registered");
  const run: Run = { state, rendezvous, device, printed: [], needles: [] };
  run.needles.push(
    ...keyNeedles("device key", await Deno.readTextFile(`${state}/device_key.json`)),
    ...keyNeedles("sealing key", await Deno.readTextFile(`${state}/sealing_keys.json`)),
    textNeedle("camera password", CAMERA_PASSWORD, decodeURIComponent(source)),
    textNeedle("camera password as typed", encodeURIComponent(CAMERA_PASSWORD), source),
  );

  await using browser = await launchChromium();
  const context = await browser.newContext();
  await context.addInitScript(keepDescriptions);
  const shell = await Shell.open(context, await pair(run));
  await shell.state("live");
  await visit(shell, { run, page });
  await addDescriptions(run, shell);
  await shell.page.reload();
  await shell.state("live");
  await addDescriptions(run, shell);
  await lendAndRevoke(run, { owner: shell, browser });
  for (const command of ["status", "owners", "grants", "sessions", "audit"]) {
    await print(run, command);
    await print(run, command, "--json");
  }
  await context.close();
  await untilLogged(device, "session.over", (_line, index) => index === 2);

  assert.deepEqual(await device.stop(), { code: 0, killed: false });
  assert.deepEqual(await rendezvous.stop(), { code: 0, killed: false });
  await camera.kill();
  search(run);
  await Deno.remove(state, { recursive: true });
});

/** A browser with the link becomes an owner; everything secret in the link is looked for. */
async function pair({ state, needles }: Run): Promise<string> {
  const { stdout } = await runPorthole({ args: ["pair", "--state", state, "--json"] });
  const link = String(JSON.parse(stdout).url);
  const text = link.split("#pair=")[1]!;
  const bytes = fromBase64Url(text); // version, device key, secret, claim id, boot id, signature: pair_link.ts
  needles.push(
    textNeedle("pairing link", text, stdout),
    byteNeedle("pairing secret", bytes.slice(33, 49), placeOf(bytes.slice(33, 49), text)),
    byteNeedle("claim's signature", bytes.slice(73), placeOf(bytes.slice(73), text)),
  );
  return link;
}

/** A guest borrows, its picture moves, and the board ends it; all that a guest has is looked for. */
async function lendAndRevoke(
  run: Run,
  { owner, browser }: { owner: Shell; browser: Browser },
): Promise<void> {
  const { stdout } = await runPorthole({
    args: ["lend", "--scope", "page,camera:gate", "--for", "1h", "--state", run.state, "--json"],
  });
  const { url, id } = JSON.parse(stdout);
  await addLink(run, String(url));
  const context = await browser.newContext();
  await context.addInitScript(keepDescriptions);
  const guest = await Shell.open(context, String(url));
  await guest.state("live");
  await guest.moving("gate");
  await addDescriptions(run, guest);
  await addKept(run, { who: "guest", shell: guest });
  await addKept(run, { who: "owner", shell: owner });
  await print(run, "sessions");
  await print(run, "revoke", String(id));
  await guest.waitForText("An owner of the device has ended this before its time.");
  await guest.page.reload(); // comes again, and is refused
  await guest.page.getByTestId("ended").waitFor();
  await context.close();
}

/** What whoever has a link to borrow by could use: the text, its seed, the key that follows from it, the invite. */
async function addLink({ needles }: Run, link: string): Promise<void> {
  const text = link.split("#borrow=")[1]!;
  const { seed, token } = await decodeInviteLink(text);
  const key = await hkdfSha256(seed, "porthole/invite-key/v1");
  needles.push(
    textNeedle("link to borrow by", text, link),
    byteNeedle("seed of the link", seed, placeOf(seed, text)),
    byteNeedle("private key of the invite", key, toHex(key)),
    byteNeedle("invite", token, toHex(token)),
    byteNeedle("invite's signature", token.slice(-64), placeOf(token.slice(-64), text)),
  );
}

/** What the shell keeps of a device: the pass of its offers, and a guest's chain of grants. */
async function addKept(
  { needles }: Run,
  { who, shell }: { who: "owner" | "guest"; shell: Shell },
): Promise<void> {
  const kept = await shell.page.evaluate<Kept>(KEPT);
  const place = kept.grants.join("\n");
  needles.push(byteNeedle(`${who}'s pass`, fromBytes(kept.pass), kept.pass));
  for (const [index, grant] of kept.grants.entries()) {
    const token = fromBytes(grant);
    needles.push(byteNeedle(`${who}'s grant ${index}`, token, place));
    const signature = token.slice(-64);
    needles.push(byteNeedle(`signature of ${who}'s grant ${index}`, signature, place));
  }
  assert.equal(kept.grants.length, who === "guest" ? 2 : 0);
}

/** Bytes as `Array.join` writes them. */
interface Kept {
  readonly pass: string;
  readonly grants: readonly string[];
}

const KEPT = `new Promise((resolve) => {
  const opening = indexedDB.open("porthole");
  opening.onsuccess = () => {
    const asking = opening.result.transaction("devices").objectStore("devices").getAll();
    asking.onsuccess = () => {
      opening.result.close();
      const [{ pass, loan }] = asking.result;
      const grants = (loan?.grants ?? []).map((token) => Array.from(token).join());
      resolve({ pass: Array.from(pass).join(), grants });
    };
  };
})`;

function fromBytes(text: string): Bytes {
  return Uint8Array.from(text.split(","), Number);
}

/** Uses a page with path, cookie and header, a WebSocket and the camera. */
async function visit(
  shell: Shell,
  { run, page }: { run: Run; page: ProbedService },
): Promise<void> {
  await shell.moving("gate");
  const echoing = await shell.openService("socket");
  await echoing.getByText("connected", { exact: true }).waitFor();
  const echoed = String(await echoing.evaluate(`echo(${JSON.stringify(SOCKET_TEXT)})`));
  await shell.page.goBack();
  const frame = await shell.openService("page");
  await frame.getByRole("heading", { name: "page" }).waitFor();
  const body = String(
    await frame.evaluate(`
      document.cookie = "session=${PAGE_COOKIE}";
      fetch("${PAGE_PATH}", { headers: { "x-session": "${PAGE_HEADER}" } }).then((r) => r.text())
    `),
  );
  const place = JSON.stringify(page.arrivals);
  run.needles.push(
    textNeedle("path of a page", PAGE_PATH, place),
    textNeedle("header of a page", PAGE_HEADER, place),
    textNeedle("cookie of a page", PAGE_COOKIE, String(await frame.evaluate("document.cookie"))),
    textNeedle("body of a page", "bait of page", body),
    textNeedle("WebSocket message", SOCKET_TEXT, echoed),
  );
}

/** Everything of the browser's connection that identifies or protects it. */
async function addDescriptions({ needles }: Run, shell: Shell): Promise<void> {
  const kept = await shell.page.evaluate(() =>
    (globalThis as unknown as { descriptions: string[] }).descriptions
  );
  const place = kept.join("\n");
  for (const sdp of kept.filter((text) => text.startsWith("v=0"))) {
    const { ufrag, pwd, fingerprint } = readTransport(sdp);
    needles.push(
      textNeedle("ICE user fragment", ufrag, place),
      textNeedle("ICE password", pwd, place),
      byteNeedle("DTLS fingerprint", fingerprint, place),
    );
  }
  for (const [, address, port] of place.matchAll(/candidate:\S+ \d \w+ \d+ (\S+) (\d+) typ/g)) {
    needles.push(textNeedle("candidate", `${address} ${port}`, place));
    needles.push(textNeedle("candidate's address", `${address}:${port}`, `${address}:${port}`));
  }
  for (const word of SDP_WORDS) needles.push(textNeedle("description", word, word)); // wherever it is
}

/** Runs a command on the board whose output must hold no secret. */
async function print({ state, printed }: Run, ...command: string[]): Promise<void> {
  const { code, stdout, stderr } = await runPorthole({ args: [...command, "--state", state] });
  assert.equal(code, 0, stderr);
  printed.push(stdout + stderr);
}

function search({ rendezvous, device, printed, needles }: Run): void {
  assert.ok(needles.length > 20, `only ${needles.length} secrets were looked for`);
  assert.equal(logged(device, "session.live").length, 3);
  assert.equal(logged(device, "admission.refused").length, 1);
  for (const { child } of [rendezvous, device]) printed.push(child.stdout + child.stderr);
  for (const text of printed) {
    assert.deepEqual(found(text, needles), []);
    assert.doesNotMatch(text, NO_STACK);
  }
}

/** The part of a text of Base64 that encodes these bytes stands nowhere by itself: the bytes as digits do for both. */
function placeOf(bytes: Uint8Array, text: string): string {
  const digits = (all: Uint8Array) => Array.from(all).join();
  assert.ok(digits(fromBase64Url(text)).includes(digits(bytes)));
  return digits(fromBase64Url(text));
}

/** Runs in the page before anything of it: keeps what its connection is described by. */
function keepDescriptions(): void {
  interface Peer {
    setLocalDescription(...values: unknown[]): Promise<void>;
    setRemoteDescription(...values: unknown[]): Promise<void>;
    readonly localDescription: { sdp: string };
    readonly remoteDescription: { sdp: string };
    addEventListener(type: string, listener: (event: { candidate: unknown }) => void): void;
  }
  const scope = globalThis as unknown as {
    descriptions: string[];
    RTCPeerConnection: { prototype: Peer };
  };
  scope.descriptions = [];
  const { prototype } = scope.RTCPeerConnection;
  const { setLocalDescription, setRemoteDescription } = prototype;
  prototype.setLocalDescription = async function (...values) {
    this.addEventListener("icecandidate", ({ candidate }) => {
      if (candidate !== null) scope.descriptions.push(JSON.stringify(candidate));
    });
    await setLocalDescription.apply(this, values);
    scope.descriptions.push(this.localDescription.sdp);
  };
  prototype.setRemoteDescription = async function (...values) {
    await setRemoteDescription.apply(this, values);
    scope.descriptions.push(this.remoteDescription.sdp);
  };
}
