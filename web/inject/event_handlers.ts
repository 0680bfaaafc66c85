/** Event handler attributes (`onopen` and the like) for an EventTarget of our own. */

type Handler = (event: Event) => unknown;

interface Entry {
  value: Handler;
  readonly listener: (event: Event) => void;
}

/** Defines `on<name>` on a prototype. One listener keeps its place while its handler changes (HTML 8.1.8.1). */
export function defineEventHandlers(prototype: EventTarget, names: readonly string[]): void {
  for (const name of names) {
    const entries = new WeakMap<EventTarget, Entry>();
    Object.defineProperty(prototype, `on${name}`, {
      configurable: true,
      enumerable: true,
      get(this: EventTarget) {
        return entries.get(this)?.value ?? null;
      },
      set(this: EventTarget, value: unknown) {
        const present = entries.get(this);
        if (typeof value !== "function") {
          if (present !== undefined) this.removeEventListener(name, present.listener);
          entries.delete(this);
        } else if (present !== undefined) present.value = value as Handler;
        else entries.set(this, attach(this, name, value as Handler));
      },
    });
  }
}

function attach(target: EventTarget, name: string, value: Handler): Entry {
  const entry: Entry = { value, listener: (event) => entry.value.call(target, event) };
  target.addEventListener(name, entry.listener);
  return entry;
}
