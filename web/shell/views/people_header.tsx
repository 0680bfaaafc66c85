/** Head of the pages that only owners have, and what guests see there instead. */
import type { Child } from "hono/jsx/dom";
import type { JSX } from "hono/jsx/dom/jsx-runtime";
import type { Device } from "../devices.ts";
import { Glyph } from "./glyph.tsx";
import { Notice } from "./notice.tsx";

export function PeopleHeader(
  { device, title, children }: { device: Device; title: string; children?: Child },
): JSX.Element {
  return (
    <header class="masthead">
      <a class="icon-button" href={`#/d/${device.id}`} aria-label={`Back to ${device.name}`}>
        <Glyph name="back" />
      </a>
      <h1>{title}</h1>
      {children}
    </header>
  );
}

export function OwnersOnly({ device }: { device: Device }): JSX.Element {
  return (
    <Notice
      title="Only owners see this page"
      testId="owners-only"
      actions={<a class="button" href={`#/d/${device.id}`}>Back to {device.name}</a>}
    >
      <p>{device.name} was lent to this browser. Who else may use it is its owners' business.</p>
    </Notice>
  );
}
