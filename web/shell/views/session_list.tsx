/** Who is connected now, and a way to end it. */
import type { JSX } from "hono/jsx/dom/jsx-runtime";
import type { SessionEntry } from "../../../src/protocol/owner.ts";
import { sinceSentence } from "../words.ts";
import type { PartProps } from "./people_view.tsx";
import { useTask } from "./task.ts";

export function SessionList(props: PartProps): JSX.Element {
  const { sessions } = props.people;
  return (
    <section aria-labelledby="sessions">
      <h2 id="sessions">Connected now</h2>
      {sessions.length === 0 ? <p class="faint">Nobody.</p> : (
        <ul class="rows">
          {sessions.map((session) => <Session key={session.id} session={session} {...props} />)}
        </ul>
      )}
    </section>
  );
}

function Session(
  { session, owner, people, now, here }: PartProps & { session: SessionEntry },
): JSX.Element {
  const task = useTask();
  const grant = people.grants.find(({ id }) => id === session.grant);
  const guest = grant === undefined ? "Guest" : `Guest “${grant.label}”`;
  return (
    <li class="row" data-testid={`session-${session.role}`}>
      <span class="dot-live" aria-hidden="true"></span>
      <span class="row-text">
        <strong>
          {session.label}
          {session.you ? <span class="badge">this one</span> : null}
        </strong>
        <span class="faint">
          {session.role === "owner" ? "Owner" : guest}, came{" "}
          {sinceSentence(here(session.since), now)}
        </span>
        {task.failure === "" ? null : <span class="failure" role="alert">{task.failure}</span>}
      </span>
      {session.you ? null : (
        <button
          type="button"
          class="quiet"
          disabled={task.busy}
          aria-label={`Disconnect ${session.label}`}
          onClick={() => task.run(() => owner.kick(session.id))}
        >
          Disconnect
        </button>
      )}
    </li>
  );
}
