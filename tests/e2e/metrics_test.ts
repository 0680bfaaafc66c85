// Prometheus's view of a device that is used: figures move, and docs/metrics.md lists each of them.
import assert from "node:assert/strict";
import { chromiumMissing, launchChromium } from "./browser.ts";
import { inCheckout } from "./checkout.ts";
import { Home } from "./home.ts";
import { freePort } from "./free_port.ts";

const lack = await chromiumMissing();
if (lack !== undefined) {
  Deno.stderr.writeSync(new TextEncoder().encode(`metrics are skipped: ${lack}\n`));
}
const options = { ignore: lack !== undefined, sanitizeOps: false, sanitizeResources: false };
/** For a figure to be as it should: ICE checks a path every few seconds. */
const LIMIT_MS = 45_000;

Deno.test(
  "metrics tell of sessions, paths, bytes, cameras, memory, and docs list all",
  options,
  async () => {
    const port = freePort();
    await using home = await Home.start({ lines: `metrics = ${port}` });
    await using browser = await launchChromium();
    const { url } = await home.ask("pair", "--for", "5m");
    const shell = await home.person(browser, String(url));
    await shell.state("live");
    await shell.moving("front");
    await home.restartRendezvous();

    const found = await until(port, (text) => /^porthole_round_trip_seconds\{/m.test(text));
    assert.match(found, /^porthole_sessions 1$/m);
    assert.match(found, /^porthole_paths\{kind="direct",ip="[46]",local="true"\} 1$/m);
    assert.match(found, /^porthole_camera_state\{camera="front",state="live"\} 1$/m);
    assert.match(found, /^porthole_camera_viewers\{camera="front"\} 1$/m);
    assert.match(found, /^porthole_rendezvous_connected 1$/m);
    assert.match(found, /^porthole_rendezvous_losses_total\{reason="\w+"\} \d+$/m);
    assert.ok(figure(found, 'porthole_network_bytes_total{direction="sent"}') > 10_000);
    assert.ok(figure(found, "porthole_rtp_packets_sent_total") > 10);
    assert.ok(figure(found, 'porthole_memory_bytes{of="resident"}') > 10_000_000);

    const listed = await Deno.readTextFile(inCheckout("docs/metrics.md"));
    const names = (text: string, pattern: RegExp) =>
      [...new Set([...text.matchAll(pattern)].map(([, name]) => name))].sort();
    assert.deepEqual(names(found, /^# TYPE (\w+)/gm), names(listed, /^\| `(porthole_\w+)`/gm));

    await shell.page.context().close();
    const after = await until(port, (text) => /^porthole_sessions 0$/m.test(text));
    assert.equal(figure(after, "porthole_sessions_started_total"), 1);
    assert.ok(
      figure(after, 'porthole_network_bytes_total{direction="sent"}') >=
        figure(found, 'porthole_network_bytes_total{direction="sent"}'),
      "a counter went back when its session ended",
    );
  },
);

async function until(port: number, holds: (text: string) => boolean): Promise<string> {
  for (const end = performance.now() + LIMIT_MS;;) {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    if (holds(text)) return text;
    if (performance.now() > end) throw new Error(`the metrics stay so:\n${text}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function figure(text: string, name: string): number {
  const line = text.split("\n").find((line) => line.startsWith(`${name} `));
  return Number(line?.split(" ").at(-1));
}
