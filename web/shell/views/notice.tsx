/** A page with one thing to say: what is the case, what to do, and where to go from here. */
import type { Child } from "hono/jsx/dom";
import type { JSX } from "hono/jsx/dom/jsx-runtime";
import { Mark } from "./glyph.tsx";

export function Notice(
  { title, children, actions, testId }: {
    title: string;
    children?: Child;
    actions?: Child;
    testId?: string;
  },
): JSX.Element {
  return (
    <main class="notice" data-testid={testId ?? "notice"}>
      <Mark />
      <h1>{title}</h1>
      <div class="notice-text">{children}</div>
      {actions ? <div class="actions">{actions}</div> : null}
    </main>
  );
}

/** Text with “quoted” commands set as code. */
export function Remedy({ text }: { text: string }): JSX.Element {
  const parts = text.split(/“([^”]*)”/);
  return (
    <p>{parts.map((part, index) => index % 2 === 1 ? <code key={index}>{part}</code> : part)}</p>
  );
}
