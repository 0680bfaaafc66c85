/**
 * Gives each EventSource a mark in its address, by which the service worker knows one that reconnects
 * (web/sw/event_ids.ts). In Firefox it need not.
 */
import { EVENTS_MARK } from "../sw/event_ids.ts";
import { IS_FIREFOX } from "./engine.ts";

/** Call once in a page or worker, before its scripts. */
export function markEventSources(baseUrl: () => string): void {
  const native = globalThis.EventSource;
  if (IS_FIREFOX || native === undefined) return;
  let count = 0;
  const face: typeof EventSource = new Proxy(native, {
    construct(target, [url, ...rest]: unknown[], newTarget): object {
      const wanted = URL.parse(String(url), baseUrl());
      const isOurs = wanted?.origin === self.origin && !wanted.href.includes("#");
      const address = isOurs ? `${wanted.href}${EVENTS_MARK}${++count}` : url;
      return Reflect.construct(target, [address, ...rest], newTarget === face ? target : newTarget);
    },
  });
  const { prototype } = native;
  const address = Object.getOwnPropertyDescriptor(prototype, "url")!; // WebIDL puts it there
  Object.defineProperty(prototype, "url", {
    ...address,
    get(this: EventSource) {
      return String(address.get!.call(this)).split(EVENTS_MARK, 1)[0]; // an accessor has one
    },
  });
  prototype.constructor = face;
  Object.defineProperty(globalThis, "EventSource", {
    value: face,
    configurable: true,
    writable: true,
  });
}
