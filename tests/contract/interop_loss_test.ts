// Our peer against real browsers on bad paths: nothing lost, 0.5 % and 5 % lost, and datagrams that
// come late, twice and not at all, both ways, from the first check of ICE on; and a handshake of
// which any one datagram gets lost. The drivers of the browsers keep handles of their own, so that
// these tests run without the sanitizers.
import assert from "node:assert/strict";
import { openDatagramSocket } from "../../src/platform/datagram.ts";
import { createPeerFactory } from "../../src/webrtc/peer.ts";
import { chromiumMissing } from "../e2e/browser.ts";
import { type BadPath, BadSockets } from "../vnet/bad_sockets.ts";
import { type BrowserSession, Bulk } from "./bulk.ts";
import { Session } from "./chromium_offerer.ts";
import { firefoxMissing } from "./firefox.ts";
import { FirefoxSession } from "./firefox_offerer.ts";
import { limited } from "./limited.ts";

interface Case {
  readonly name: string;
  readonly path: Partial<BadPath>;
  /** Each way: some seconds at what the browser makes of the path when it sends. */
  readonly bytes: number;
}

const CASES: readonly Case[] = [
  { name: "nothing lost", path: {}, bytes: 16_000_000 },
  { name: "0.5 % lost", path: { loss: 0.005 }, bytes: 10_000_000 },
  { name: "5 % lost", path: { loss: 0.05 }, bytes: 4_000_000 },
  {
    name: "1 % lost, 5 % up to 5 ms late, 2 % doubled",
    path: { loss: 0.01, late: 0.05, lateness: 5, twice: 0.02 },
    bytes: 4_000_000,
  },
];

type Open = (
  options: { createPeer: ReturnType<typeof createPeerFactory>["createPeer"] },
) => Promise<BrowserSession & AsyncDisposable>;

interface Browser {
  readonly name: string;
  readonly missing: string | undefined;
  readonly open: Open;
}

/** Whether it is a record that only a handshake has, or an alert (RFC 6347 4.1). */
function isHandshake([type = 0]: Uint8Array): boolean {
  return type >= 20 && type <= 22;
}

const BROWSERS: readonly Browser[] = [
  { name: "Chromium", missing: await chromiumMissing(), open: (options) => Session.open(options) },
  { name: "Firefox", missing: firefoxMissing(), open: (options) => FirefoxSession.open(options) },
];

for (const { name: browser, missing, open } of BROWSERS) {
  // deno-lint-ignore no-console -- a skipped test says why
  if (missing !== undefined) console.log(`bad paths to ${browser}: skipped, ${missing}`);
  for (const [seed, { name, path, bytes }] of CASES.entries()) {
    Deno.test({
      name: `${browser}, ${name}: ${bytes / 1e6} MB arrive whole in both directions`,
      ignore: missing !== undefined,
      sanitizeOps: false,
      sanitizeResources: false,
      fn: async () => {
        const sockets = new BadSockets(openDatagramSocket, { path, seed });
        const { createPeer } = createPeerFactory({ openSocket: sockets.openSocket });
        await using session = await limited(open({ createPeer }));
        const bulk = await limited(Bulk.open(session));
        for (const way of ["down", "up"] as const) {
          const { sent, arrived } = await limited(bulk[way](bytes));
          assert.equal(arrived, sent, way);
        }
        assertWasBad(sockets, path);
      },
    });
  }
}

Deno.test({
  name: "a handshake with Chromium comes about whichever of its datagrams gets lost",
  ignore: BROWSERS[0]!.missing !== undefined,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    let lost = 0;
    for (let losses = 1; losses === 1;) {
      lost++;
      let seen = 0;
      const spares = (datagram: Uint8Array) => !isHandshake(datagram) || ++seen !== lost;
      const sockets = new BadSockets(openDatagramSocket, { path: { loss: 1, spares }, seed: 0 });
      const { createPeer } = createPeerFactory({ openSocket: sockets.openSocket });
      await using session = await limited(Session.open({ createPeer }));
      await limited(Bulk.open(session));
      losses = sockets.sent.lost + sockets.received.lost; // none: it has fewer datagrams
    }
    assert(lost > 8, `only ${lost - 1} datagrams were lost`);
  },
});

/** A path that was better than meant proves nothing. */
function assertWasBad({ sent, received }: BadSockets, path: Partial<BadPath>): void {
  for (const { all, ...fates } of [sent, received]) {
    assert(all > 500, `${all} datagrams`);
    const shares = [[fates.lost, path.loss], [fates.late, path.late], [fates.twice, path.twice]];
    for (const [count = 0, share = 0] of shares) {
      assert(count >= all * share * 0.5 && count <= all * share * 1.5, `${count} of ${all}`);
    }
  }
}
