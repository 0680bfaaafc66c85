/**
 * The bulk channel alone, between our peer and Chromium: no mux, no service worker, no request. Beside the tunnel's
 * throughput it tells what the transport costs and what all above it does. `peer_bench.ts` is a process of its own, since
 * the peer runs in it and the CPU time that it tells is that of its whole process.
 */
import { inCheckout } from "../e2e/checkout.ts";
import { Child } from "../e2e/child.ts";
import { figure } from "./measure.ts";
import type { Findings } from "./report.ts";

const MEGABYTES = 20;
const LIMIT_MS = 60_000;

export async function measureChannel({ repeats }: { repeats: number }): Promise<Findings> {
  const results: Record<string, unknown>[] = [];
  while (results.length < repeats) {
    await using child = Child.start({
      command: Deno.execPath(),
      args: ["run", "-A", "--no-check", inCheckout("tests/bench/peer_bench.ts"), `${MEGABYTES}`],
    });
    results.push(await child.firstJson(LIMIT_MS));
    await child.exited();
  }
  const rates = (variant: string, field: string) =>
    figure("bulk channel alone", {
      variant,
      unit: "Mbit/s",
      samples: results.map((result) => Number(result[field])),
    });
  return { figures: [rates("down", "downMbitPerSecond"), rates("up", "upMbitPerSecond")] };
}
