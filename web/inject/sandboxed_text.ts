/** HTML that scripts put into a page: frames in it that have no origin are held (web/sw/held_frames.ts). */
import { holdFrames } from "../sw/held_frames.ts";
import type { Realm } from "./realm.ts";
import { trustedHtml } from "./trusted.ts";

/** What of a global is replaced here. */
export function writtenIn(realm: Realm): readonly (readonly [object, readonly string[]])[] {
  return [
    [realm.Element.prototype, ["innerHTML", "outerHTML", "insertAdjacentHTML", "setHTMLUnsafe"]],
    [realm.ShadowRoot.prototype, ["innerHTML", "setHTMLUnsafe"]],
    [realm.Range.prototype, ["createContextualFragment"]],
    [realm.DOMParser.prototype, ["parseFromString"]],
    [realm.Document.prototype, ["write", "writeln"]],
  ];
}

/** Watches a global's ways from text to elements. Call once for each. */
export function holdWrittenFrames(realm: Realm): void {
  for (const [prototype, names] of writtenIn(realm)) {
    for (const name of names) {
      const native = Object.getOwnPropertyDescriptor(prototype, name);
      if (native?.set !== undefined) holdProperty(prototype, { name, native });
      else if (typeof native?.value === "function") holdArguments(prototype, { name, native });
    }
  }
}

interface Way {
  readonly name: string;
  readonly native: PropertyDescriptor;
}

function holdProperty(prototype: object, { name, native }: Way): void {
  Object.defineProperty(prototype, name, {
    ...native,
    set(this: object, value: unknown) {
      native.set!.call(this, held(value)); // whoever calls has looked
    },
  });
}

/** All of them: what is no HTML has no such frame in it. */
function holdArguments(prototype: object, { name, native }: Way): void {
  const value = new Proxy(native.value as (...values: unknown[]) => unknown, {
    apply: (target, self, values: unknown[]) => Reflect.apply(target, self, values.map(held)),
  });
  Object.defineProperty(prototype, name, { ...native, value });
}

/** Mostly the same value: it may be one that only the page's own policy could make. */
function held(value: unknown): unknown {
  if (value === null || value === undefined) return value;
  const text = String(value);
  if (!/sandbox/i.test(text)) return value;
  const html = holdFrames(text);
  return html === text ? value : trustedHtml(html);
}
