/**
 * The rendezvous as a process of its own sees no device content: its log of a whole run holds no path, no service's host
 * and no label of a content origin, even for requests that slipped past a service worker.
 */
import assert from "node:assert/strict";
import { request } from "node:http";
import { chromiumMissing, launchChromium } from "./browser.ts";
import { HostileService } from "./hostile_service.ts";
import { logged, NO_STACK, untilLogged } from "./log_lines.ts";
import { runPorthole, startPorthole } from "./processes.ts";
import { Shell } from "./shell.ts";
import { freePort } from "./free_port.ts";

const lack = await chromiumMissing();
if (lack !== undefined) {
  Deno.stderr.writeSync(new TextEncoder().encode(`rendezvous log is skipped: ${lack}\n`));
}

// Playwright keeps handles of its own until the process ends: sanitizers would count them.
const OPTIONS = { ignore: lack !== undefined, sanitizeOps: false, sanitizeResources: false };

const HOST = "127.0.0.1";

Deno.test("the rendezvous logs no path and no host of a device's pages", OPTIONS, async () => {
  const port = freePort();
  const state = await Deno.makeTempDir({ prefix: "porthole-rendezvous-log-" });
  await using service = await HostileService.start();
  await using rendezvous = await startPorthole({
    args: ["rendezvous", "--listen", `${HOST}:${port}`, "--log", "debug", "--json"],
  });
  await using device = await startPorthole({
    args: [
      ...["run", "--state", state, "--rendezvous", `ws://${HOST}:${port}`, "--json"],
      ...["--service", `hostile=${service.url}`],
    ],
  });
  await untilLogged(rendezvous, "device.registered");
  const { stdout } = await runPorthole({ args: ["pair", "--state", state, "--json"] });
  await using browser = await launchChromium();
  const shell = await Shell.open(browser, JSON.parse(stdout).url);
  await shell.state("live");
  const frame = await shell.openService("hostile");
  await frame.getByText("connected", { exact: true }).waitFor();
  assert.equal(await frame.evaluate(() => fetch("/fine").then((answer) => answer.text())), "fine");

  const content = new URL(frame.url()).host;
  const label = content.split(".")[0]!;
  assert.equal(label.length, 26);
  // What a synchronous XMLHttpRequest or a download link would send past the service worker.
  assert.equal(
    await strayed(port, { host: content, path: "/secret-path?token=secret-query" }),
    404,
  );

  assert.deepEqual(await device.stop(), { code: 0, killed: false });
  assert.deepEqual(await rendezvous.stop(), { code: 0, killed: false });
  const [closed] = logged(rendezvous, "rendezvous.closed");
  assert.ok(Number(closed?.strayed) >= 1, "the stray request was not counted");
  const written = rendezvous.child.stdout + rendezvous.child.stderr;
  for (const secret of ["secret-path", "secret-query", label, "/fine", "/echo", "hostile"]) {
    assert.ok(!written.includes(secret), `"${secret}" is in the log of the rendezvous`);
  }
  assert.doesNotMatch(written, NO_STACK);
  await Deno.remove(state, { recursive: true });
});

/** Status of a request to a content host that reached the rendezvous. */
function strayed(port: number, { host, path }: { host: string; path: string }): Promise<number> {
  return new Promise((resolve, reject) => {
    request({ host: HOST, port, path, headers: { host }, agent: false }, (answer) => {
      answer.resume().on("end", () => resolve(answer.statusCode!));
    }).on("error", reject).end();
  });
}
