/** `/#/d/DEVICE`: the live pictures of a device, and its pages. */
import { type Child, useState } from "hono/jsx/dom";
import type { JSX } from "hono/jsx/dom/jsx-runtime";
import type { Named } from "../../../src/protocol/control.ts";
import type { Device } from "../devices.ts";
import type { SessionState } from "../session.ts";
import { Diagnosis } from "./diagnosis.tsx";
import { type CameraSource, CameraTile } from "./camera_tile.tsx";
import { Ended, endOf } from "./ended.tsx";
import { Glyph } from "./glyph.tsx";
import { useLastLive, useObserved } from "./hooks.ts";
import { LoanLine } from "./loan_line.tsx";
import type { OwnerSource } from "./owner_source.ts";
import { StateLine, type StateSource, usePatience } from "./state_line.tsx";

const SHOWN_AT_ONCE = 4; // each picture costs the viewer bandwidth and the device work; more start when asked for

/** What a view needs of a session. */
export interface SessionSource extends StateSource {
  readonly cameras: CameraSource;
  readonly owner: OwnerSource;
}

/** What the device has for this browser. */
export interface Offer {
  readonly services: readonly Named[];
  readonly cameras: readonly Named[];
}

export function DeviceView(
  { device, session, notes, forget }: {
    device: Device;
    session: SessionSource;
    /** What an owner should know. */
    notes: Child;
    forget: () => void;
  },
): JSX.Element {
  const state = useObserved(session.state);
  const offer = useLastLive(state);
  const end = endOf(state);
  return (
    <main class="page page-wide">
      <header class="masthead">
        <a class="icon-button" href="#/" aria-label="All devices">
          <Glyph name="back" />
        </a>
        <h1>{device.name}</h1>
        {device.role === "owner" && end === undefined ? <OwnerLinks device={device} /> : null}
      </header>
      {end === undefined
        ? (
          <>
            <StateLine session={session} device={device} />
            <LoanLine state={state} />
            {notes}
            {offer === undefined
              ? <Before state={state} />
              : <Offered device={device} session={session} offer={offer} />}
          </>
        )
        : <Ended device={device} code={end} retry={() => session.retryNow()} forget={forget} />}
      <footer class="foot">
        <details>
          <summary>About this device</summary>
          <dl>
            <dt>Device id</dt>
            <dd>
              <code>{device.id}</code>
            </dd>
            <dt>{device.role === "owner" ? "Paired" : "Lent to this browser"}</dt>
            <dd>{new Date(device.pairedAt).toLocaleString()}</dd>
          </dl>
          <Diagnosis session={session} />
          <p class="faint">
            {device.role === "owner"
              ? "Forgetting removes it from this browser's list. The device still knows this " +
                "browser as an owner: to end that too, remove it on the page of people first, or " +
                "from another owner's browser."
              : "Forgetting removes it from this browser's list. You would need the link again, or a " +
                "new one."}
          </p>
          <button type="button" class="quiet danger" onClick={() => confirmForget(device, forget)}>
            Forget this device
          </button>
        </details>
      </footer>
    </main>
  );
}

function OwnerLinks({ device }: { device: Device }): JSX.Element {
  return (
    <nav class="owner-links" aria-label="People">
      <a class="button quiet" href={`#/d/${device.id}/lend`} data-testid="lend">
        <Glyph name="lend" />Lend
      </a>
      <a class="button quiet" href={`#/d/${device.id}/people`} data-testid="people">
        <Glyph name="people" />People
      </a>
    </nav>
  );
}

function Before({ state }: { state: SessionState }): JSX.Element | null {
  const patient = usePatience();
  if (!patient || state.phase === "lost" || state.phase === "closed") return null;
  return (
    <div class="skeleton" aria-hidden="true">
      <div></div>
      <div></div>
    </div>
  );
}

function Offered(
  { device, session, offer }: { device: Device; session: SessionSource; offer: Offer },
): JSX.Element {
  const { services, cameras } = offer;
  if (services.length === 0 && cameras.length === 0) {
    return device.role === "owner" ? <NothingOffered /> : <NothingLent />;
  }
  return (
    <div class={cameras.length === 0 ? "device device-pages" : "device"}>
      {cameras.length === 0 ? null : <CameraList cameras={cameras} source={session.cameras} />}
      {services.length === 0 ? null : (
        <section aria-labelledby="pages">
          <h2 id="pages">Pages</h2>
          <ul class="cards">
            {services.map((service) => (
              <li key={service.id}>
                <a
                  class="card"
                  href={`#/d/${device.id}/s/${service.id}/`}
                  data-testid={`service-card-${service.id}`}
                >
                  <Glyph name="page" />
                  <span class="card-text">
                    <strong>{service.title}</strong>
                  </span>
                  <Glyph name="forward" />
                </a>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

export function CameraList(
  { cameras, source }: { cameras: readonly Named[]; source: CameraSource },
): JSX.Element {
  const [asked, ask] = useState<readonly string[]>([]);
  return (
    <section aria-labelledby="live">
      <h2 id="live">Live</h2>
      <div class="cameras">
        {cameras.map((camera, index) =>
          index < SHOWN_AT_ONCE || asked.includes(camera.id)
            ? <CameraTile key={camera.id} camera={camera} cameras={source} />
            : (
              <button
                type="button"
                class="card"
                key={camera.id}
                onClick={() => ask([...asked, camera.id])}
              >
                <Glyph name="camera" />
                <span class="card-text">
                  <strong>{camera.title}</strong>
                  <span class="faint">Show the picture</span>
                </span>
              </button>
            )
        )}
      </div>
    </section>
  );
}

function NothingLent(): JSX.Element {
  return (
    <div class="empty">
      <h2>Nothing to show</h2>
      <p>What was lent to you is not there any more: the device has been changed since.</p>
    </div>
  );
}

function NothingOffered(): JSX.Element {
  return (
    <div class="empty">
      <h2>Nothing to show yet</h2>
      <p>
        This device offers no pages and no cameras. Add a <code>[[service]]</code> or a{" "}
        <code>[[camera]]</code> to its <code>porthole.toml</code> and restart porthole.
      </p>
    </div>
  );
}

function confirmForget(device: Device, forget: () => void): void {
  const again = device.role === "owner"
    ? "To use it again you will have to pair again."
    : "To use it again you will need the link again.";
  if (confirm(`Forget “${device.name}”? ${again}`)) forget();
}
