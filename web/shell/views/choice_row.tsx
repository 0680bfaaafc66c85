/** One line of a list of choices: the whole line is the label. */
import type { Child } from "hono/jsx/dom";
import type { JSX } from "hono/jsx/dom/jsx-runtime";
import { Glyph, type GlyphName } from "./glyph.tsx";

export function Option(
  { name, glyph, title, hint, checked, toggle }: {
    name: string;
    glyph?: GlyphName;
    title: string;
    hint?: string;
    checked: boolean;
    toggle: () => void;
  },
): JSX.Element {
  return (
    <Row title={title} glyph={glyph} hint={hint}>
      <input
        type="checkbox"
        name={name}
        checked={checked}
        onChange={toggle}
        data-testid={`lend-${name}`}
      />
    </Row>
  );
}

export function Choice(
  { name, value, title, hint, checked, choose }: {
    name: string;
    value: string;
    title: string;
    hint: string;
    checked: boolean;
    choose: () => void;
  },
): JSX.Element {
  return (
    <Row title={title} hint={hint}>
      <input
        type="radio"
        name={name}
        value={value}
        checked={checked}
        onChange={choose}
        data-testid={`lend-${value}`}
      />
    </Row>
  );
}

function Row(
  { title, glyph, hint, children }: {
    title: string;
    glyph?: GlyphName | undefined;
    hint?: string | undefined;
    children?: Child;
  },
): JSX.Element {
  return (
    <li>
      <label class="row">
        {children}
        {glyph === undefined ? null : <Glyph name={glyph} />}
        <span class="row-text">
          <strong>{title}</strong>
          {hint === undefined ? null : <span class="faint">{hint}</span>}
        </span>
      </label>
    </li>
  );
}
