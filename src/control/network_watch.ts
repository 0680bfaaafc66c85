/**
 * Notices that this machine has other addresses than a moment ago: a new lease, a cable, another Wi-Fi. No runtime tells,
 * so it looks, which costs some 50 µs.
 */
import { networkInterfaces } from "node:os";

/** How often to look, in ms: of the time that a person waits for a board that moved. */
const LOOK_MS = 1000;

/** This machine's addresses, those of the loopback included: connections go out from them too. */
export function ownAddresses(): ReadonlySet<string> {
  const all = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  return new Set(all.map(({ address }) => address));
}

/** See the head of this file. */
export class NetworkWatch {
  readonly #changed: (addresses: ReadonlySet<string>) => void;
  readonly #look: () => ReadonlySet<string>;
  #before: ReadonlySet<string> = new Set();
  #timer: ReturnType<typeof setInterval> | undefined;

  /** `changed` is called after each change, with what there is now, and must not throw. */
  constructor(
    changed: (addresses: ReadonlySet<string>) => void,
    look: () => ReadonlySet<string> = ownAddresses,
  ) {
    this.#changed = changed;
    this.#look = look;
  }

  /** Begins to look, every `everyMs`. Call once. */
  start(everyMs = LOOK_MS): void {
    this.#before = this.#look();
    this.#timer = setInterval(() => this.#compare(), everyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #compare(): void {
    const now = this.#look();
    const isSame = now.size === this.#before.size && now.isSubsetOf(this.#before);
    this.#before = now;
    if (!isSame) this.#changed(now);
  }
}
