/** `/`: the devices of this browser, or how to get the first one. */
import type { JSX } from "hono/jsx/dom/jsx-runtime";
import type { Device } from "../devices.ts";
import { momentText } from "../people_words.ts";
import { explainFor, sinceSentence } from "../words.ts";
import { Glyph, Mark } from "./glyph.tsx";
import { useClock } from "./hooks.ts";

const CLOCK_MS = 30_000; // "5 minutes ago" needs no finer clock

export function DevicesView({ devices }: { devices: readonly Device[] }): JSX.Element {
  const now = useClock(CLOCK_MS);
  if (devices.length === 0) return <FirstDevice />;
  return (
    <main class="page">
      <header class="masthead">
        <Mark />
        <h1>Your devices</h1>
      </header>
      <ul class="cards">
        {devices.map((device) => (
          <li key={device.id}>
            <a class="card" href={`#/d/${device.id}`} data-testid="device-card">
              <span class="card-text">
                <strong>{device.name}</strong>
                <span class="faint">{deviceSentence(device, now)}</span>
              </span>
              <Glyph name="forward" />
            </a>
          </li>
        ))}
      </ul>
      <p class="faint hint">
        To add another, run <code>porthole pair</code> on it and open the link it prints.
      </p>
    </main>
  );
}

function deviceSentence({ role, loan, ended, lastSeen }: Device, now: number): string {
  if (ended !== undefined) return explainFor(role)(ended).what;
  if (loan === undefined) return `Last connected ${sinceSentence(lastSeen, now)}`;
  return loan.expires > now
    ? `Lent to you, ends ${momentText(loan.expires, now)}`
    : `Was lent to you, ended ${momentText(loan.expires, now)}`;
}

function FirstDevice(): JSX.Element {
  return (
    <main class="notice" data-testid="no-devices">
      <Mark />
      <h1>No device yet</h1>
      <div class="notice-text">
        <p>Pair this browser with your first device. It takes one scan.</p>
        <ol class="steps">
          <li>
            On the device, run <code>porthole pair</code>
          </li>
          <li>Scan the code it shows with this phone, or open its link in this browser</li>
        </ol>
        <p class="faint">
          Only this browser gets a key. Nothing is stored on a server, and there is no account.
        </p>
      </div>
    </main>
  );
}
