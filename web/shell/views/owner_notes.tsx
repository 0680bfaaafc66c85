/** What an owner should know beside the pictures: a log that was rolled back, a key that may be lost, a number to compare. */
import { useState } from "hono/jsx/dom";
import type { Child } from "hono/jsx/dom";
import type { JSX } from "hono/jsx/dom/jsx-runtime";
import type { App } from "../app.ts";
import type { History } from "../audit_head.ts";
import type { Device } from "../devices.ts";
import { isDue, putOff } from "../reminders.ts";
import { useObserved } from "./hooks.ts";
import type { OwnerSource } from "./owner_source.ts";

type NotesModel = Pick<App, "checkNumber" | "dismissCheckNumber" | "kept" | "keepKey">;

/** The most urgent first. Nothing for guests: it is the owner's device. `place`: the page that it is shown on. */
export function OwnerNotes(
  { app, device, session, place }: {
    app: NotesModel;
    device: Device;
    session: { readonly owner: OwnerSource };
    place: "device" | "people";
  },
): JSX.Element | null {
  const history = useObserved(session.owner.history);
  const check = useObserved(app.checkNumber);
  if (device.role !== "owner") return null;
  return (
    <>
      {history === "sound"
        ? null
        : <HistoryNote history={history} accept={() => session.owner.acceptHistory()} />}
      {place === "device" && check?.device === device.id
        ? <CheckNote digits={check.digits} done={() => app.dismissCheckNumber()} />
        : null}
      {place === "people"
        ? <KeptNoteForAsLong app={app} />
        : check === undefined
        ? <Advice app={app} device={device} owner={session.owner} />
        : null}
    </>
  );
}

function HistoryNote(
  { history, accept }: { history: Exclude<History, "sound">; accept: () => void },
): JSX.Element {
  return (
    <Note
      tone="bad"
      testId="history-note"
      title={history === "older"
        ? "This device has forgotten what happened lately"
        : "This device remembers another past than this browser"}
      actions={
        <button type="button" class="quiet" onClick={accept}>I know why: accept this log</button>
      }
    >
      {history === "older"
        ? "Its log ends before the last entry that this browser has seen."
        : "Its log differs from what this browser has seen."}{" "}
      Its memory card was probably put back to an older copy, or this is a clone. People who were
      removed since then, and grants that were ended, may hold again: look through the list of
      people.
    </Note>
  );
}

function CheckNote({ digits, done }: { digits: string; done: () => void }): JSX.Element {
  return (
    <Note
      testId="check-note"
      title="Paired"
      actions={<button type="button" class="quiet" onClick={done}>Done</button>}
    >
      Check number{" "}
      <strong class="digits" data-testid="check-number">
        {digits.slice(0, 3)} {digits.slice(3)}
      </strong>. If the device has a screen that shows such a number, compare the two: they must be
      the same. Its log has the number too.
    </Note>
  );
}

/** One piece of advice at a time. Each can be put off for a week. */
function Advice(
  { app, device, owner }: { app: NotesModel; device: Device; owner: OwnerSource },
): JSX.Element | null {
  const view = useObserved(owner.people);
  const kept = useObserved(app.kept);
  const [, redraw] = useState(0);
  const later = (key: string) => {
    putOff(key, Date.now());
    redraw(Date.now());
  };
  const alone = view.phase === "known" && view.people.owners.length === 1;
  const second = `second-owner.${device.id}`;
  if (alone && isDue(second, Date.now())) {
    return <SecondOwnerNote device={device} later={() => later(second)} />;
  }
  return kept === false && isDue("kept", Date.now())
    ? <KeptNote ask={() => app.keepKey()} later={() => later("kept")} />
    : null;
}

function SecondOwnerNote(
  { device, later }: { device: Device; later: () => void },
): JSX.Element {
  return (
    <Note
      testId="second-owner-note"
      title={`Only this browser owns ${device.name}`}
      actions={
        <>
          <a class="button quiet" href={`#/d/${device.id}/people`}>Add a second one</a>
          <button type="button" class="quiet" onClick={later}>Later</button>
        </>
      }
    >
      If it loses its key, because its data is cleared or this computer is lost, you will have to
      pair again at the device itself. Add another browser of yours, such as your phone's.
    </Note>
  );
}

/** On the page of people it stands for as long as it is true. The owners' list says there who is alone. */
function KeptNoteForAsLong({ app }: { app: NotesModel }): JSX.Element | null {
  const kept = useObserved(app.kept);
  return kept === false ? <KeptNote ask={() => app.keepKey()} /> : null;
}

function KeptNote(
  { ask, later }: { ask: () => Promise<void>; later?: () => void },
): JSX.Element {
  const [asked, setAsked] = useState(false);
  const askNow = () => {
    ask().finally(() => setAsked(true)).catch(() => {}); // it never rejects
  };
  return (
    <Note
      testId="kept-note"
      title="This browser may delete its key"
      actions={
        <>
          <button type="button" class="quiet" onClick={askNow}>Ask it to keep the key</button>
          {later === undefined
            ? null
            : <button type="button" class="quiet" onClick={later}>Later</button>}
        </>
      }
    >
      {asked
        ? "The browser did not agree. Bookmark this page or add it to the home screen, open it " +
          "from there, and ask again. A second owner browser is the best insurance."
        : "It has not promised to keep what this page stores: it may clear it when space runs out, " +
          "and Safari does so after a week without a visit. Then this browser is no owner any more."}
    </Note>
  );
}

function Note(
  { title, children, actions, testId, tone }: {
    title: string;
    children?: Child;
    actions?: Child;
    testId: string;
    tone?: "bad";
  },
): JSX.Element {
  return (
    <section
      class={tone === "bad" ? "note note-bad" : "note"}
      role={tone === "bad" ? "alert" : undefined}
      data-testid={testId}
    >
      <h2>{title}</h2>
      <p>{children}</p>
      <div class="link-actions">{actions}</div>
    </section>
  );
}
