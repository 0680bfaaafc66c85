/** `/#/d/DEVICE/people`: everybody whom a device lets in, who is there now, and what happened. */
import type { Child } from "hono/jsx/dom";
import type { JSX } from "hono/jsx/dom/jsx-runtime";
import type { People } from "../../../src/protocol/owner.ts";
import type { Device } from "../devices.ts";
import type { Things } from "../lending.ts";
import { Ended, endOf } from "./ended.tsx";
import { GrantList } from "./grant_list.tsx";
import { Glyph } from "./glyph.tsx";
import { useClock, useLastLive, useObserved } from "./hooks.ts";
import { LogList } from "./log_list.tsx";
import type { OwnerSession } from "./lend_view.tsx";
import { OwnerList } from "./owner_list.tsx";
import { OwnersOnly, PeopleHeader } from "./people_header.tsx";
import { SessionList } from "./session_list.tsx";
import { StateLine, usePatience } from "./state_line.tsx";

const CLOCK_MS = 30_000; // "5 minutes ago" needs no finer clock
const NO_THINGS: Things = { services: [], cameras: [] };

/** What every part of the page needs. */
export interface PartProps {
  readonly device: Device;
  readonly owner: OwnerSession["owner"];
  readonly people: People;
  readonly things: Things;
  readonly now: number;
  /** A time of the device's clock, in Unix seconds, by the clock of this browser in milliseconds. */
  here(seconds: number): number;
}

export function PeopleView(
  { device, session, notes }: { device: Device; session: OwnerSession; notes: Child },
): JSX.Element {
  const state = useObserved(session.state);
  const things = useLastLive(state) ?? NO_THINGS;
  const end = endOf(state);
  if (device.role !== "owner") return <OwnersOnly device={device} />;
  return (
    <main class="page page-wide">
      <PeopleHeader device={device} title={`People of ${device.name}`}>
        <nav class="owner-links" aria-label="Lend">
          <a class="button" href={`#/d/${device.id}/lend`} data-testid="lend">
            <Glyph name="lend" />Lend
          </a>
        </nav>
      </PeopleHeader>
      {end === undefined
        ? (
          <>
            <StateLine session={session} device={device} />
            {notes}
            <Parts
              device={device}
              session={session}
              things={things}
              live={state.phase === "live"}
            />
          </>
        )
        : <Ended device={device} code={end} retry={() => session.retryNow()} />}
    </main>
  );
}

function Parts(
  { device, session, things, live }: {
    device: Device;
    session: OwnerSession;
    things: Things;
    live: boolean;
  },
): JSX.Element | null {
  const view = useObserved(session.owner.people);
  const now = useClock(CLOCK_MS);
  const patient = usePatience();
  if (view.phase === "failed") {
    return <p class="failure" role="alert">The device did not tell who its people are.</p>;
  }
  if (view.phase === "unknown") return patient ? <Waiting /> : null;
  const { people, clockAhead } = view;
  const here = (seconds: number) => seconds * 1000 - clockAhead;
  const props = { device, owner: session.owner, people, things, now, here };
  return (
    <div class="people" data-testid="people-view">
      <div class="people-part">
        {live ? <SessionList {...props} /> : null}
        <GrantList {...props} />
        <OwnerList {...props} />
        {people.omitted === undefined ? null : (
          <p class="faint" data-testid="omitted">
            {people.omitted} more found no room here. “porthole grants” at the device lists all.
          </p>
        )}
      </div>
      <div class="people-part">
        <LogList {...props} live={live} />
      </div>
    </div>
  );
}

function Waiting(): JSX.Element {
  return (
    <div class="skeleton skeleton-rows" aria-hidden="true">
      <div></div>
      <div></div>
    </div>
  );
}
