/** The fields of the form in which an owner lends: what, what may be done, for how long, for whom. */
import type { JSX } from "hono/jsx/dom/jsx-runtime";
import type { Named } from "../../../src/protocol/control.ts";
import { MAX_USES } from "../../../src/trust/grant.ts";
import { type DurationId, DURATIONS, type Things, type Unit, UNITS } from "../lending.ts";
import { momentText } from "../people_words.ts";
import { Choice, Option } from "./choice_row.tsx";

/** What stands in the form. */
export interface Choices {
  readonly services: readonly string[];
  readonly cameras: readonly string[];
  readonly operate: boolean;
  readonly talk: boolean;
  readonly duration: DurationId;
  readonly amount: number;
  readonly unit: Unit;
  readonly uses: number;
  readonly label: string;
}

const MAX_LABEL = 40; // characters; 64 bytes is what travels (src/trust/label.ts)

export interface FieldProps {
  readonly choices: Choices;
  change(part: Partial<Choices>): void;
}

export function ThingsField(
  { things, choices, change }: FieldProps & { things: Things },
): JSX.Element {
  const [services, cameras] = [lendable(things.services), lendable(things.cameras)];
  return (
    <fieldset>
      <legend>What</legend>
      <ul class="rows">
        {cameras.map((camera) => (
          <Option
            key={`camera-${camera.id}`}
            name={`camera-${camera.id}`}
            glyph="camera"
            title={camera.title}
            checked={choices.cameras.includes(camera.id)}
            toggle={() => change({ cameras: toggled(choices.cameras, camera.id) })}
          />
        ))}
        {services.map((service) => (
          <Option
            key={`service-${service.id}`}
            name={`service-${service.id}`}
            glyph="page"
            title={service.title}
            checked={choices.services.includes(service.id)}
            toggle={() => change({ services: toggled(choices.services, service.id) })}
          />
        ))}
      </ul>
    </fieldset>
  );
}

/** Looking is always part of it. What makes no difference for what was chosen is not asked. */
export function OperationsField({ choices, change }: FieldProps): JSX.Element | null {
  const { services, cameras, operate, talk } = choices;
  if (services.length + cameras.length === 0) return null;
  return (
    <fieldset>
      <legend>The guest may</legend>
      <ul class="rows">
        {services.length === 0 ? null : (
          <>
            <Choice
              name="operate"
              value="look"
              title="Look"
              hint="Watch cameras and read pages. Nothing can be changed; pages that need a live connection of their own may stay empty."
              checked={!operate}
              choose={() => change({ operate: false })}
            />
            <Choice
              name="operate"
              value="operate"
              title="Look and operate"
              hint="Use the pages as you do, with every button in them."
              checked={operate}
              choose={() => change({ operate: true })}
            />
          </>
        )}
        {services.length > 0 || cameras.length === 0 ? null : (
          <li class="row">
            <span class="row-text">
              <strong>Look</strong>
              <span class="faint">Watch the live pictures.</span>
            </span>
          </li>
        )}
        {cameras.length === 0 ? null : (
          <Option
            name="talk"
            title="Talk through the cameras"
            hint="Counts once a camera of this device can play sound; none can yet."
            checked={talk}
            toggle={() => change({ talk: !talk })}
          />
        )}
      </ul>
    </fieldset>
  );
}

export function DurationField(
  { choices, change, seconds }: FieldProps & { seconds: number | undefined },
): JSX.Element {
  const now = Date.now();
  return (
    <fieldset>
      <legend>For how long</legend>
      <div class="chips">
        {DURATIONS.map(({ id, title }) => (
          <label key={id} class="chip">
            <input
              type="radio"
              name="duration"
              value={id}
              checked={choices.duration === id}
              onChange={() => change({ duration: id })}
              data-testid={`lend-${id}`}
            />
            <span>{title}</span>
          </label>
        ))}
      </div>
      {choices.duration === "own" ? <OwnDuration choices={choices} change={change} /> : null}
      {seconds === undefined
        ? null
        : <p class="faint hint">Until {momentText(now + seconds * 1000, now)}</p>}
    </fieldset>
  );
}

function OwnDuration({ choices, change }: FieldProps): JSX.Element {
  return (
    <div class="beside-fields">
      <label class="field">
        <span>How many</span>
        <input
          type="number"
          inputMode="numeric"
          min="1"
          value={choices.amount}
          onChange={(event: Event) => change({ amount: numberIn(event) })}
        />
      </label>
      <label class="field">
        <span>Unit</span>
        <select
          value={choices.unit}
          onChange={(event: Event) => change({ unit: textIn(event) as Unit })}
        >
          {Object.keys(UNITS).map((unit) => <option key={unit} value={unit}>{unit}</option>)}
        </select>
      </label>
    </div>
  );
}

export function WhoField({ choices, change }: FieldProps): JSX.Element {
  return (
    <fieldset>
      <legend>For whom</legend>
      <div class="beside-fields">
        <label class="field field-wide">
          <span>Name, for your own list</span>
          <input
            type="text"
            maxLength={MAX_LABEL}
            placeholder="Plumber"
            autocomplete="off"
            value={choices.label}
            data-testid="lend-label"
            onChange={(event: Event) => change({ label: textIn(event) })}
          />
        </label>
        <label class="field">
          <span>How many browsers</span>
          <input
            type="number"
            inputMode="numeric"
            min="1"
            max={MAX_USES}
            value={choices.uses}
            data-testid="lend-uses"
            onChange={(event: Event) => change({ uses: numberIn(event) })}
          />
        </label>
      </div>
      <p class="faint hint">
        Whoever opens the link first is let in,{" "}
        {choices.uses === 1 ? "once" : "until all came"}. Each phone or computer counts as one
        browser.
      </p>
    </fieldset>
  );
}

/** A device of an earlier version gives its things no numbers: there grants have nothing to name. */
export function lendable(things: readonly Named[]): readonly Named[] {
  return things.filter(({ number }) => number !== undefined);
}

function toggled(chosen: readonly string[], id: string): readonly string[] {
  return chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id];
}

function textIn(event: Event): string {
  return (event.currentTarget as HTMLInputElement | HTMLSelectElement).value;
}

function numberIn(event: Event): number {
  return (event.currentTarget as HTMLInputElement).valueAsNumber;
}
