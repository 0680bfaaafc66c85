/** `/#pair=…`: from the scan to the first picture, or why not. */
import type { JSX } from "hono/jsx/dom/jsx-runtime";
import type { Pairing } from "../app.ts";
import type { Observed } from "../observable.ts";
import type { SessionState } from "../session.ts";
import { explainPairing, stateSentence } from "../words.ts";
import { Notice, Remedy } from "./notice.tsx";
import { useObserved } from "./hooks.ts";
import { type StateSource } from "./state_line.tsx";

const STEPS: readonly (readonly [string, readonly SessionState["phase"][]])[] = [
  ["Find the device", ["idle", "finding"]],
  ["Connect to it, end to end encrypted", ["offering", "connecting"]],
  ["Check that it is the one you scanned", ["confirming"]],
];

export function PairingView(
  { pairing, session }: { pairing: Observed<Pairing>; session: StateSource | undefined },
): JSX.Element {
  const progress = useObserved(pairing);
  if (progress.phase === "failed") return <Failed code={progress.code} />;
  return session === undefined ? <Progress phase="idle" /> : <Running session={session} />;
}

function Running({ session }: { session: StateSource }): JSX.Element {
  const state = useObserved(session.state);
  if (state.phase === "closed") return <Failed code={state.code} />;
  if (state.phase !== "lost") return <Progress phase={state.phase} />;
  const { what, remedy } = explainPairing(state.code);
  return (
    <Notice
      title="Not connected yet"
      testId="pairing-waiting"
      actions={<button type="button" onClick={() => session.retryNow()}>Try now</button>}
    >
      <p role="status" data-testid="state">{what} Trying again by itself.</p>
      <Remedy text={remedy} />
    </Notice>
  );
}

function Progress({ phase }: { phase: SessionState["phase"] }): JSX.Element {
  const at = STEPS.findIndex(([, phases]) => phases.includes(phase));
  return (
    <Notice title="Pairing" testId="pairing">
      <ol class="progress">
        {STEPS.map(([text], index) => (
          <li key={text} class={step(index, at)}>
            {text}
          </li>
        ))}
      </ol>
      <p class="unseen" role="status" aria-live="polite" data-testid="state">
        {stateSentence(
          phase === "live" ? { phase: "confirming" } : { phase: phase as "finding" },
          "the device",
        )}
      </p>
    </Notice>
  );
}

function step(index: number, at: number): string {
  if (at < 0 || index < at) return "done";
  return index === at ? "now" : "later";
}

function Failed({ code }: { code: Parameters<typeof explainPairing>[0] }): JSX.Element {
  const { what, remedy } = explainPairing(code);
  return (
    <Notice
      title="Not paired"
      testId="pairing-failed"
      actions={<a class="button" href="#/">Your devices</a>}
    >
      <p role="alert">
        <strong>{what}</strong>
      </p>
      <Remedy text={remedy} />
    </Notice>
  );
}
