/** The browsers that own a device: add one, remove one. */
import { useRef, useState } from "hono/jsx/dom";
import type { JSX } from "hono/jsx/dom/jsx-runtime";
import type { OwnerEntry, WindowEntry } from "../../../src/protocol/owner.ts";
import type { OpenLink } from "../owner_console.ts";
import { spanText } from "../people_words.ts";
import { sinceSentence } from "../words.ts";
import { Glyph } from "./glyph.tsx";
import { useClock } from "./hooks.ts";
import { LinkCard } from "./link_card.tsx";
import type { PartProps } from "./people_view.tsx";
import { useTask } from "./task.ts";

const SHORT_ID = 8; // digits

export function OwnerList(props: PartProps): JSX.Element {
  const { owners } = props.people;
  return (
    <section aria-labelledby="owners">
      <h2 id="owners">Owners</h2>
      <ul class="rows">
        {owners.map((entry) => <Owner key={entry.id} entry={entry} {...props} />)}
      </ul>
      {owners.length > 1 ? null : (
        <p class="faint hint after-rows" data-testid="alone">
          Only this browser owns{" "}
          {props.device.name}. If it loses its key, because its data is cleared or this computer is
          lost, you will have to pair again at the device itself. Add another browser of yours, such
          as your phone's.
        </p>
      )}
      <OpenWindows {...props} />
      <AddOwner {...props} />
    </section>
  );
}

function Owner(
  { entry, device, owner, people, now, here }: PartProps & { entry: OwnerEntry },
): JSX.Element {
  const task = useTask();
  const remove = () => {
    if (confirm(removalQuestion(entry, device.name))) {
      task.run(() => owner.removeOwner(entry.id));
    }
  };
  return (
    <li class="row" data-testid="owner">
      <Glyph name="person" />
      <span class="row-text">
        <strong>
          {entry.label}
          {entry.you ? <span class="badge">this browser</span> : null}
        </strong>
        <span class="faint">
          {entry.lastSeen === undefined
            ? `Added ${sinceSentence(here(entry.createdAt), now)}`
            : `Last seen ${sinceSentence(here(entry.lastSeen), now)}`}
          {isTwin(entry, people) ? `, key ${entry.id.slice(0, SHORT_ID)}` : ""}
        </span>
        {task.failure === "" ? null : <span class="failure" role="alert">{task.failure}</span>}
      </span>
      {people.owners.length < 2 ? null : (
        <button
          type="button"
          class="quiet danger"
          disabled={task.busy}
          aria-label={`Remove the owner ${entry.label}`}
          onClick={remove}
        >
          Remove
        </button>
      )}
    </li>
  );
}

/** Whether another owner has the same label: then the key's first digits tell them apart, as in `porthole owners`. */
function isTwin({ id, label }: OwnerEntry, { owners }: PartProps["people"]): boolean {
  return owners.some((other) => other.id !== id && other.label === label);
}

function removalQuestion({ label, you }: OwnerEntry, device: string): string {
  return you
    ? `Remove this browser from the owners of “${device}”? You lose access at once, and so does ` +
      "everybody to whom this browser lent something."
    : `Remove the owner “${label}”? It loses access at once, and so does everybody to whom it lent ` +
      "something.";
}

/** Links that are still good, also those that were made at the device or by another owner. */
function OpenWindows(props: PartProps): JSX.Element | null {
  const { windows = [] } = props.people;
  const open = windows.filter(({ expires }) => props.here(expires) > props.now);
  if (open.length === 0) return null;
  return (
    <ul class="rows after-rows" aria-label="Open pairing links">
      {open.map((entry) => <OpenWindow key={entry.id} entry={entry} {...props} />)}
    </ul>
  );
}

function OpenWindow(
  { entry, owner, now, here }: PartProps & { entry: WindowEntry },
): JSX.Element {
  const task = useTask();
  return (
    <li class="row" data-testid="window">
      <span class="row-text">
        <strong>A pairing link is open</strong>
        <span class="faint">
          Made {entry.label === undefined ? "at the device" : `by ${entry.label}`}, good for{" "}
          {spanText(here(entry.expires) - now)}
        </span>
        {task.failure === "" ? null : <span class="failure" role="alert">{task.failure}</span>}
      </span>
      <button
        type="button"
        class="quiet danger"
        disabled={task.busy}
        onClick={() => task.run(() => owner.withdraw(entry.id))}
      >
        Withdraw
      </button>
    </li>
  );
}

function AddOwner({ device, owner, people }: PartProps): JSX.Element {
  const task = useTask();
  const [open, setOpen] = useState<
    { link: OpenLink; before: readonly string[] } | undefined
  >(undefined);
  const add = () =>
    task.run(async () => {
      const before = people.owners.map(({ id }) => id);
      setOpen({ link: await owner.addOwner(), before });
    });
  if (open !== undefined) {
    const came = people.owners.filter(({ id }) => !open.before.includes(id));
    return (
      <NewOwner
        name={device.name}
        link={open.link}
        came={came}
        close={() => setOpen(undefined)}
        withdraw={() =>
          task.run(async () => {
            await owner.withdraw(open.link.id);
            setOpen(undefined);
          })}
      />
    );
  }
  return (
    <div class="after-rows">
      <button
        type="button"
        class="quiet"
        disabled={task.busy}
        onClick={add}
        data-testid="add-owner"
      >
        Add an owner's browser
      </button>
      {task.failure === "" ? null : <p class="failure" role="alert">{task.failure}</p>}
    </div>
  );
}

const CLOCK_MS = 1000;

function NewOwner(
  { name, link, came, close, withdraw }: {
    name: string;
    link: OpenLink;
    came: readonly OwnerEntry[];
    close: () => void;
    withdraw: () => void;
  },
): JSX.Element {
  const now = useClock(CLOCK_MS);
  const first = useRef<OwnerEntry | undefined>(undefined); // stays said even if it is removed again
  first.current ??= came[0];
  if (first.current) {
    return (
      <div class="after-rows">
        <p class="good" role="status">
          {first.current.label} became an owner.
        </p>
        <button type="button" class="quiet" onClick={close}>Close</button>
      </div>
    );
  }
  if (link.expires <= now) {
    return (
      <div class="after-rows">
        <p role="status">The link has expired: nobody used it.</p>
        <button type="button" class="quiet" onClick={close}>Close</button>
      </div>
    );
  }
  return (
    <div class="after-rows">
      <LinkCard url={link.url} title={`Become an owner of ${name}`}>
        <p>
          Scan this with your other phone or open it in your other browser. Whoever opens it first
          {" "}
          <strong>may do everything here, and remove you</strong>. It works once, for{" "}
          {spanText(link.expires - now)}.
        </p>
      </LinkCard>
      <button type="button" class="quiet" onClick={withdraw}>Withdraw the link</button>
    </div>
  );
}
