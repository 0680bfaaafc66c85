/** What happened: the newest first, older lines when asked for. */
import type { JSX } from "hono/jsx/dom/jsx-runtime";
import type { AuditEntry } from "../../../src/protocol/owner.ts";
import { auditSentence } from "../audit_words.ts";
import { momentText } from "../people_words.ts";
import { useLasting, useObserved } from "./hooks.ts";
import type { PartProps } from "./people_view.tsx";

export function LogList(props: PartProps & { live: boolean }): JSX.Element {
  const { owner, live } = props;
  const { entries, phase } = useObserved(owner.log);
  const read = () => {
    owner.readLog().catch(reportError); // it never rejects
  };
  useLasting(() => {
    if (live && owner.log.value.phase === "unread") read();
  }, [owner, live]);
  return (
    <section aria-labelledby="log">
      <h2 id="log">Log</h2>
      {entries.length === 0 && phase === "whole" ? <p class="faint">Nothing yet.</p> : null}
      <ol class="log">
        {entries.map((entry) => <Line key={entry.sequence} entry={entry} {...props} />)}
      </ol>
      {phase === "failed" ? <p class="failure" role="alert">The device did not tell.</p> : null}
      {phase === "more" || phase === "failed" || (phase === "reading" && entries.length > 0)
        ? (
          <button
            type="button"
            class="quiet"
            disabled={phase === "reading" || !live}
            onClick={read}
          >
            {phase === "failed" ? "Try again" : "Show older lines"}
          </button>
        )
        : null}
    </section>
  );
}

function Line(
  { entry, people, things, now, here }: PartProps & { entry: AuditEntry },
): JSX.Element {
  const { text, tone } = auditSentence(entry, {
    grant: (id) => people.grants.find((grant) => grant.id === id)?.label,
    thing: (id) => [...things.services, ...things.cameras].find((one) => one.id === id)?.title,
  });
  const at = here(entry.at);
  return (
    <li class={tone === "bad" ? "log-bad" : undefined}>
      <time dateTime={isoTime(at)}>{momentText(at, now)}</time>
      <span>{text}</span>
    </li>
  );
}

/** Undefined beyond what dates can be: the device's clock may say anything. */
function isoTime(time: number): string | undefined {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
