/** Notices when this machine gets or loses an address: a cable, Wi-Fi, a new lease. Asks the system, never the network. */
import { networkInterfaces } from "node:os";

/** Some 100 µs of work; half of what a person waits for a page that is there again. */
const LOOK_MS = 1000;

/** Addresses by which this machine can be known outside. */
export function ownAddresses(): ReadonlySet<string> {
  const all = Object.values(networkInterfaces()).flatMap((infos) => infos ?? []);
  return new Set(all.map(({ address }) => address));
}

export class NetworkWatch {
  readonly #changed: (addresses: ReadonlySet<string>) => void;
  readonly #look: () => ReadonlySet<string>;
  #known = "";
  #timer: ReturnType<typeof setInterval> | undefined;

  /** `changed` must not throw. */
  constructor(
    changed: (addresses: ReadonlySet<string>) => void,
    look: () => ReadonlySet<string> = ownAddresses,
  ) {
    this.#changed = changed;
    this.#look = look;
  }

  start(): void {
    this.#known = nameOf(this.#look());
    this.#timer = setInterval(() => this.look(), LOOK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Looks now. */
  look(): void {
    const addresses = this.#look();
    const name = nameOf(addresses);
    if (name === this.#known) return;
    this.#known = name;
    this.#changed(addresses);
  }
}

function nameOf(addresses: ReadonlySet<string>): string {
  return [...addresses].sort().join(" ");
}
