/** `/#pair=…` and `/#borrow=…`: from the link to the first picture, or why not. */
import type { JSX } from "hono/jsx/dom/jsx-runtime";
import type { Pairing } from "../app.ts";
import type { LostCode } from "../lost.ts";
import type { Observed } from "../observable.ts";
import type { SessionState } from "../session.ts";
import { explainBorrowing, explainPairing, type Explanation, stateSentence } from "../words.ts";
import { Notice, Remedy } from "./notice.tsx";
import { useObserved } from "./hooks.ts";
import { type StateSource } from "./state_line.tsx";

/** What differs between becoming an owner and becoming a guest. */
interface Kind {
  readonly name: string;
  readonly title: string;
  readonly failed: string;
  readonly last: string;
  explain(code: LostCode | "bad_link"): Explanation;
}

const KINDS: Readonly<Record<"pair" | "borrow", Kind>> = {
  pair: {
    name: "pairing",
    title: "Pairing",
    failed: "Not paired",
    last: "Check that it is the one you scanned",
    explain: explainPairing,
  },
  borrow: {
    name: "borrowing",
    title: "Opening what was lent to you",
    failed: "Nothing to open",
    last: "Check that it is the one in the link",
    explain: explainBorrowing,
  },
};

type Steps = readonly (readonly [string, readonly SessionState["phase"][]])[];

function stepsOf(kind: Kind): Steps {
  return [
    ["Find the device", ["idle", "finding"]],
    ["Connect to it, end to end encrypted", ["offering", "connecting"]],
    [kind.last, ["confirming"]],
  ];
}

export function EntryView(
  { kind: name, pairing, session }: {
    kind: "pair" | "borrow";
    pairing: Observed<Pairing>;
    session: StateSource | undefined;
  },
): JSX.Element {
  const kind = KINDS[name];
  const progress = useObserved(pairing);
  if (progress.phase === "failed") return <Failed kind={kind} code={progress.code} />;
  if (progress.phase === "owned") return <Owned device={progress.device} />;
  return session === undefined
    ? <Progress kind={kind} phase="idle" />
    : <Running kind={kind} session={session} />;
}

function Running({ kind, session }: { kind: Kind; session: StateSource }): JSX.Element {
  const state = useObserved(session.state);
  if (state.phase === "closed") return <Failed kind={kind} code={state.code} />;
  if (state.phase !== "lost") return <Progress kind={kind} phase={state.phase} />;
  const { what, remedy } = kind.explain(state.code);
  return (
    <Notice
      title="Not connected yet"
      testId={`${kind.name}-waiting`}
      actions={<button type="button" onClick={() => session.retryNow()}>Try now</button>}
    >
      <p role="status" data-testid="state">{what} Trying again by itself.</p>
      <Remedy text={remedy} />
    </Notice>
  );
}

function Progress({ kind, phase }: { kind: Kind; phase: SessionState["phase"] }): JSX.Element {
  const steps = stepsOf(kind);
  const at = steps.findIndex(([, phases]) => phases.includes(phase));
  return (
    <Notice title={kind.title} testId={kind.name}>
      <ol class="progress">
        {steps.map(([text], index) => (
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

function Failed({ kind, code }: { kind: Kind; code: LostCode | "bad_link" }): JSX.Element {
  const { what, remedy } = kind.explain(code);
  return (
    <Notice
      title={kind.failed}
      testId={`${kind.name}-failed`}
      actions={<a class="button" href="#/">Your devices</a>}
    >
      <p role="alert">
        <strong>{what}</strong>
      </p>
      <Remedy text={remedy} />
    </Notice>
  );
}

/** The invite stays unused: it is for somebody who needs it. */
function Owned({ device }: { device: string }): JSX.Element {
  return (
    <Notice
      title="You own this device"
      testId="borrowing-owned"
      actions={<a class="button" href={`#/d/${device}`}>Open it</a>}
    >
      <p>
        This browser may do everything there already. The link was not used: it still lets in the
        person for whom it was made.
      </p>
    </Notice>
  );
}
