import assert from "node:assert/strict";
import { whoCame } from "./run_agent_command.ts";
import { spanText } from "./terminal.ts";

const [OURS, OTHER] = ["0123abcd".padEnd(32, "0"), "4567cdef".padEnd(32, "0")];

interface Owner {
  readonly window: string;
  readonly label: string;
  readonly check: string;
}

/** A device on whose windows these come, one at each look. */
function device(coming: readonly (Owner | "nobody")[]) {
  const open = new Set([OURS, OTHER]);
  const entries: object[] = [{ sequence: 1, at: "", event: "owner.added", label: "Old" }];
  const left = [...coming];
  const ask = ({ path }: { path: string }) => {
    if (path === "/audit") return Promise.resolve({ entries });
    const next = left.shift();
    if (next === "nobody") open.delete(OURS);
    else if (next !== undefined) {
      open.delete(next.window);
      const detail = `check ${next.check}, link ${next.window.slice(0, 8)}`;
      const line = { at: "", event: "owner.added", label: next.label, detail };
      entries.unshift({ sequence: entries.length + 1, ...line });
    }
    return Promise.resolve({ windows: [...open].map((id) => ({ id })) });
  };
  return ask;
}

const options = { signal: new AbortController().signal, intervalMs: 1 };

Deno.test("pair waits for its own window's owner, whoever else comes meanwhile", async () => {
  const ask = device([
    { window: OTHER, label: "Tablet", check: "111111" },
    { window: OURS, label: "Phone", check: "048213" },
  ]);
  assert.equal(await whoCame(OURS, { ask, ...options }), "Phone is an owner now (check 048213).");
});

Deno.test("pair says that nobody came when its window ends", async () => {
  const ask = device([{ window: OTHER, label: "Tablet", check: "111111" }, "nobody"]);
  assert.equal(await whoCame(OURS, { ask, ...options }), "Nobody came.");
});

Deno.test("pair says nothing more when it is interrupted", async () => {
  const signal = AbortSignal.abort();
  assert.equal(await whoCame(OURS, { ask: device([]), signal }), undefined);
});

Deno.test("a span is told in the largest unit that divides it", () => {
  const spans = [45_000, 90_000, 5_400_000, 3_600_000, 172_800_000].map(spanText);
  assert.deepEqual(spans, ["45 s", "90 s", "90 min", "1 h", "2 d"]);
});
