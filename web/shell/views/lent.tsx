/** What was just lent: the link to hand over, and whether somebody came. */
import type { JSX } from "hono/jsx/dom/jsx-runtime";
import type { Device } from "../devices.ts";
import type { Things, Wish } from "../lending.ts";
import type { OpenLink } from "../owner_console.ts";
import { listText, momentText } from "../people_words.ts";
import { focusHeading, useLasting, useObserved } from "./hooks.ts";
import { LinkCard } from "./link_card.tsx";
import type { OwnerSource } from "./owner_source.ts";

export function Lent(
  { device, owner, lent: { wish, link }, things, again }: {
    device: Device;
    owner: OwnerSource;
    lent: { wish: Wish; link: OpenLink };
    things: Things;
    again: () => void;
  },
): JSX.Element {
  useLasting(() => focusHeading(), []); // the button that was pressed is gone, and the code may be above
  const until = momentText(link.expires, Date.now());
  const title = `${device.name}, until ${until}`;
  return (
    <div class="form" data-testid="lent">
      <LinkCard url={link.url} title={title}>
        <p>
          <strong>{titlesOf(wish, things)}</strong>
        </p>
        <p>
          {wish.operate && wish.services.length > 0 ? "Look and operate" : "Look"}, until {until}.
          {" "}
          {wish.uses === 1
            ? "The first browser that opens this link is let in, no other."
            : `The first ${wish.uses} browsers that open this link are let in.`}
        </p>
        <Arrivals owner={owner} id={link.id} />
      </LinkCard>
      <p class="faint hint">
        The link is shown this once. Send it only to the person it is for: whoever has it first can
        use it. You can end it at any time on the page of people.
      </p>
      <div class="link-actions">
        <a class="button" href={`#/d/${device.id}/people`}>Done</a>
        <button type="button" class="quiet" onClick={again}>Lend something else</button>
      </div>
    </div>
  );
}

function titlesOf(wish: Wish, { services, cameras }: Things): string {
  const chosen = [
    ...cameras.filter(({ id }) => wish.cameras.includes(id)),
    ...services.filter(({ id }) => wish.services.includes(id)),
  ];
  return listText(chosen.map(({ title }) => title));
}

function Arrivals({ owner, id }: { owner: OwnerSource; id: string }): JSX.Element {
  const view = useObserved(owner.people);
  const grant = view.phase === "known"
    ? view.people.grants.find((one) => one.id === id)
    : undefined;
  const guests = grant?.guests ?? [];
  return (
    <p role="status" data-testid="arrivals" class={guests.length === 0 ? "faint" : "good"}>
      {guests.length === 0
        ? "Nobody has opened it yet."
        : `Opened by ${listText(guests.map(({ label }) => label))}.`}
    </p>
  );
}
