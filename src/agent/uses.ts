/** What a session reached for, told once for each thing and outcome: a page asks for the same service all the time. */
import type { Use } from "./seams.ts";

/** Refusals that one session may have in the log; whoever tries more ids than this is told as clearly by these. */
export const MAX_REFUSALS_TOLD = 64;

/** Remembers what was told. What is allowed is bounded by what is configured. */
export class Uses {
  readonly #tell: (use: Use) => void;
  readonly #allowed = new Set<string>();
  readonly #refused = new Set<string>();

  constructor(tell: (use: Use) => void) {
    this.#tell = tell;
  }

  note(use: Use): void {
    const told = use.allowed ? this.#allowed : this.#refused;
    const key = `${use.kind} ${use.id}`;
    if (told.has(key) || !use.allowed && told.size >= MAX_REFUSALS_TOLD) return;
    told.add(key);
    this.#tell(use);
  }
}
