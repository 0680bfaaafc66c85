/** `/#/d/DEVICE/lend`: an owner chooses what to lend, for how long and to how many, and gets a link to hand over. */
import { useState } from "hono/jsx/dom";
import type { JSX } from "hono/jsx/dom/jsx-runtime";
import { MAX_USES } from "../../../src/trust/grant.ts";
import { MAX_LINK_NUMBERS } from "../../../src/trust/invite_link.ts";
import type { Device } from "../devices.ts";
import { durationSeconds, type Things, type Wish, wishDefect } from "../lending.ts";
import type { OpenLink } from "../owner_console.ts";
import { defectSentence } from "../people_words.ts";
import { Ended, endOf } from "./ended.tsx";
import { useLastLive, useObserved } from "./hooks.ts";
import {
  type Choices,
  DurationField,
  lendable,
  OperationsField,
  ThingsField,
  WhoField,
} from "./lend_fields.tsx";
import { Lent } from "./lent.tsx";
import type { OwnerSource } from "./owner_source.ts";
import { OwnersOnly, PeopleHeader } from "./people_header.tsx";
import { StateLine, type StateSource } from "./state_line.tsx";
import { useTask } from "./task.ts";

export interface OwnerSession extends StateSource {
  readonly owner: OwnerSource;
}

const FIRST: Choices = {
  services: [],
  cameras: [],
  operate: false,
  talk: false,
  duration: "hour",
  amount: 2,
  unit: "hours",
  uses: 1,
  label: "",
};

export function LendView(
  { device, session }: { device: Device; session: OwnerSession },
): JSX.Element {
  const state = useObserved(session.state);
  const live = useLastLive(state);
  const end = endOf(state);
  const [lent, setLent] = useState<{ wish: Wish; link: OpenLink } | undefined>(undefined);
  if (device.role !== "owner") return <OwnersOnly device={device} />;
  return (
    <main class="page">
      <PeopleHeader device={device} title={`Lend ${device.name}`} />
      {end === undefined ? <StateLine session={session} device={device} /> : null}
      {end !== undefined
        ? <Ended device={device} code={end} retry={() => session.retryNow()} />
        : live === undefined
        ? <p class="faint">What can be lent shows once the device is connected.</p>
        : lendable([...live.services, ...live.cameras]).length === 0
        ? <p class="faint">This device has nothing that could be lent.</p>
        : lent === undefined
        ? (
          <LendForm
            things={live}
            lend={async (wish) => setLent({ wish, link: await session.owner.lend(wish, live) })}
          />
        )
        : (
          <Lent
            device={device}
            owner={session.owner}
            lent={lent}
            things={live}
            again={() => setLent(undefined)}
          />
        )}
    </main>
  );
}

function LendForm(
  { things, lend }: { things: Things; lend: (wish: Wish) => Promise<void> },
): JSX.Element {
  const [choices, set] = useState(FIRST);
  const [tried, setTried] = useState(false);
  const task = useTask();
  const change = (part: Partial<Choices>) => set({ ...choices, ...part });
  const seconds = durationSeconds(choices.duration, { ...choices, now: Date.now() });
  const defect = wishDefect({ ...choices, seconds });
  const submit = (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (defect === undefined && seconds !== undefined) {
      task.run(() => lend({ ...choices, seconds }));
    }
  };
  return (
    <form class="form" onSubmit={submit} noValidate data-testid="lend-form">
      <ThingsField things={things} choices={choices} change={change} />
      <OperationsField choices={choices} change={change} />
      <DurationField choices={choices} change={change} seconds={seconds} />
      <WhoField choices={choices} change={change} />
      <div class="form-end">
        {tried && defect !== undefined
          ? (
            <p class="failure" role="alert">
              {defectSentence(defect, { things: MAX_LINK_NUMBERS, uses: MAX_USES })}
            </p>
          )
          : null}
        {task.failure === "" ? null : <p class="failure" role="alert">{task.failure}</p>}
        <button type="submit" disabled={task.busy}>
          {task.busy ? "Signing…" : "Make the link"}
        </button>
      </div>
    </form>
  );
}
