/** What is lent to whom, and a way to end it before its time. */
import type { JSX } from "hono/jsx/dom/jsx-runtime";
import type { GrantEntry } from "../../../src/protocol/owner.ts";
import { grantSentence, listText, momentText, operationsText } from "../people_words.ts";
import { sinceSentence } from "../words.ts";
import type { PartProps } from "./people_view.tsx";
import { useTask } from "./task.ts";

export function GrantList(props: PartProps): JSX.Element {
  const { people: { grants }, now, here } = props;
  const running = grants.filter(({ state, expires }) =>
    (state === "waiting" || state === "used") && here(expires) > now
  );
  const ended = grants.filter((grant) => !running.includes(grant));
  return (
    <section aria-labelledby="grants">
      <h2 id="grants">Lent</h2>
      {running.length === 0 ? <p class="faint">Nothing is lent now.</p> : (
        <ul class="rows">
          {running.map((grant) => <Grant key={grant.id} grant={grant} {...props} />)}
        </ul>
      )}
      {ended.length === 0 ? null : (
        <details class="more">
          <summary>Ended ({ended.length})</summary>
          <ul class="rows">
            {ended.map((grant) => <Grant key={grant.id} grant={over(grant)} {...props} />)}
          </ul>
        </details>
      )}
    </section>
  );
}

/** Its time may have passed since the device told its state. */
function over(grant: GrantEntry): GrantEntry {
  return grant.state === "revoked" ? grant : { ...grant, state: "expired" };
}

function Grant(props: PartProps & { grant: GrantEntry }): JSX.Element {
  const { grant, owner, now, here } = props;
  const task = useTask();
  const runs = grant.state === "waiting" || grant.state === "used";
  const end = () => {
    const question = `End what was lent to “${grant.label}” now? ` +
      "Whoever is connected with it is disconnected.";
    if (confirm(question)) task.run(() => owner.endGrant(grant.id));
  };
  return (
    <li class="row" data-testid={`grant-${grant.state}`}>
      <span class="row-text">
        <strong>{grant.label}</strong>
        <span>{whatText(props)}</span>
        <span class="faint">
          {grantSentence(grant, momentText(here(grant.expires), now))}
          {issuerText(props)}
        </span>
        {grant.guests.map((guest) => (
          <span class="faint" key={guest.id}>
            {guest.label}, {guest.lastSeen === undefined
              ? `came ${sinceSentence(here(guest.redeemedAt), now)}`
              : `last seen ${sinceSentence(here(guest.lastSeen), now)}`}
          </span>
        ))}
        {task.failure === "" ? null : <span class="failure" role="alert">{task.failure}</span>}
      </span>
      {runs
        ? (
          <button
            type="button"
            class="quiet danger"
            disabled={task.busy}
            aria-label={`End now what was lent to ${grant.label}`}
            onClick={end}
          >
            End now
          </button>
        )
        : null}
    </li>
  );
}

function whatText({ grant, things }: PartProps & { grant: GrantEntry }): string {
  const titles = [
    ...grant.cameras.map((id) => things.cameras.find((one) => one.id === id)?.title ?? id),
    ...grant.services.map((id) => things.services.find((one) => one.id === id)?.title ?? id),
  ];
  const what = titles.length === 0 ? "Nothing that still exists" : listText(titles);
  return `${what}: ${operationsText(grant.operations)}`;
}

function issuerText({ grant, people }: PartProps & { grant: GrantEntry }): string {
  if (grant.issuer === undefined) return ". Lent at the device";
  const issuer = people.owners.find(({ id }) => id === grant.issuer);
  if (issuer === undefined) return ". Lent by an owner who is gone";
  return issuer.you ? "" : `. Lent by ${issuer.label}`;
}
