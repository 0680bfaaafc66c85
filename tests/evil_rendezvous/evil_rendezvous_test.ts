/**
 * Ten thousand runs against a rendezvous, a network and a guest who are no friends (issue 4, item 1). A failure names its
 * seed: `deno run -A tests/evil_rendezvous/run.ts <seed>`.
 */
import assert from "node:assert/strict";
import {
  addTally,
  type CampaignOptions,
  emptyTally,
  runCampaign,
  RUNS_PER_BATCH,
  type Tally,
} from "./campaign.ts";
import { CHAIN_FORGERIES } from "./forged_chain.ts";
import { OFFER_SPOILINGS } from "./forged_offer.ts";
import { CHANNEL_DEEDS } from "./guest_run.ts";
import { newEndFields, secretIn, secretsOf } from "./secrets.ts";
import { toBase64Url, utf8 } from "../../src/lib/bytes.ts";
import { TAMPERINGS, WIRE_KINDS } from "./wires.ts";

/** Fewer while something else is worked on; the check for all deeds needs about 3000. */
const RUNS = Number(Deno.env.get("PORTHOLE_EVIL_RUNS") ?? 10_000);
const FIRST_SEED = Number(Deno.env.get("PORTHOLE_EVIL_SEED") ?? 1);
const THREADS = Math.max(1, Math.min(4, navigator.hardwareConcurrency));
const ENOUGH_FOR_ALL_DEEDS = 5000;

async function inThreads(seeds: readonly number[]): Promise<Tally> {
  const parts = Array.from(
    { length: THREADS },
    (_, thread) => seeds.filter((_, i) => i % THREADS === thread),
  );
  const sum = emptyTally();
  for (const tally of await Promise.all(parts.map((seeds) => inThread({ seeds, mood: "evil" })))) {
    addTally(sum, tally);
  }
  return sum;
}

/** Rejects with what nobody caught in the thread: an unhandled rejection is a failure. */
async function inThread(options: CampaignOptions): Promise<Tally> {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data as Tally);
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(`a thread of the harness failed: ${event.message}`));
      };
      worker.postMessage(options);
    });
  } finally {
    worker.terminate();
  }
}

Deno.test("everybody comes in who may while the rendezvous only carries", async () => {
  const tally = await runCampaign({ seeds: [FIRST_SEED], mood: "calm" });
  assert.deepEqual(tally.violations, []);
  assert.ok(tally.wanted > RUNS_PER_BATCH / 2);
  assert.equal(tally.sessions, tally.wanted);
});

Deno.test("no evil rendezvous, network or guest gets a session that should not be", async () => {
  const seeds = Array.from({ length: Math.ceil(RUNS / RUNS_PER_BATCH) }, (_, i) => FIRST_SEED + i);
  const startedAt = performance.now();
  const tally = await inThreads(seeds);
  const { runs, refused, sessions, halves } = tally;
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  // deno-lint-ignore no-console -- figures for whoever runs it
  console.log(
    `${runs} runs in ${seconds} s: ${refused} without, ${sessions} sessions, ${halves} halves`,
  );
  assert.deepEqual(tally.violations, []);
  assert.equal(runs, seeds.length * RUNS_PER_BATCH);
  assert.ok(refused > runs / 4 && sessions > runs / 10, "the attacks do not reach what they test");
  if (runs >= ENOUGH_FOR_ALL_DEEDS) assert.deepEqual(missing(tally), []);
});

/** Deeds that nobody did. */
function missing({ deeds }: Tally): string[] {
  const all = [
    ...WIRE_KINDS.flatMap((kind) => TAMPERINGS.map((how) => `carried: ${kind} ${how}`)),
    "carried: address swap",
    "carried: certificate swap",
    ...CHAIN_FORGERIES.map((name) => `guest: chain ${name}`),
    ...OFFER_SPOILINGS.map((name) => `guest: offer ${name}`),
    ...CHANNEL_DEEDS.map((name) => `guest: channel ${name}`),
    "guest: meanwhile revoked",
    "guest: meanwhile expired",
    "bridge sealed anew",
    "bridge as herself",
  ];
  return all.filter((deed) => deeds[deed] === undefined);
}

Deno.test("the search of what the rendezvous saw finds each secret in each form", () => {
  const fields = newEndFields("actpass");
  const { ufrag, fingerprint } = fields.transport;
  const secrets = secretsOf([fields]);
  const hex = Array.from(fingerprint, (byte) => byte.toString(16).padStart(2, "0"));
  const shown = [
    utf8(ufrag),
    fingerprint,
    utf8(hex.join("")),
    utf8(hex.join(":").toUpperCase()),
    ...[0, 1, 2].map((shift) =>
      utf8(toBase64Url(new Uint8Array([...utf8("abc").slice(0, shift), ...utf8(ufrag), 1, 2])))
    ),
    utf8(fields.candidates[1]!.slice(4)),
  ];
  for (const bytes of shown) {
    const around = new Uint8Array([1, 2, ...bytes, 3]);
    assert.notEqual(secretIn([around], secrets), undefined);
  }
  assert.equal(secretIn([new Uint8Array(5000)], secrets), undefined);
});
