/** *Diagnose*: each leg of the connection, good or at fault, when somebody asks. */
import { useState } from "hono/jsx/dom";
import type { JSX } from "hono/jsx/dom/jsx-runtime";
import type { Leg } from "../diagnosis.ts";

const WORDS = { good: "good", bad: "at fault", unknown: "not known" } as const;

export function Diagnosis(
  { session }: { session: { diagnose?(): Promise<readonly Leg[]> } },
): JSX.Element | null {
  const [legs, setLegs] = useState<readonly Leg[] | undefined>(undefined);
  if (session.diagnose === undefined) return null;
  const look = () => void session.diagnose?.().then(setLegs); // it never rejects
  return (
    <div class="diagnosis">
      <button type="button" class="quiet" data-testid="diagnose" onClick={look}>Diagnose</button>
      {legs === undefined ? null : (
        <ul role="status" aria-live="polite">
          {legs.map(({ name, state, text }) => (
            <li
              key={name}
              class={`leg leg-${state}`}
              data-testid={`leg-${name}`}
              data-state={state}
            >
              <strong>{name}</strong> <span class="figure">{WORDS[state]}</span> {text}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
