/**
 * What this device can lend, by its two names: the id in the configuration, which people use, and the number in grants,
 * which outlives a change of the configuration and never comes to mean something else.
 */
import type { Operation } from "../protocol/access.ts";
import { MAX_SCOPE_NUMBERS, type Scope } from "../trust/scope.ts";
import type { Records } from "./records.ts";

export type ThingKind = "service" | "camera";

/** Ids of what is configured. */
export interface Configured {
  readonly services: readonly string[];
  readonly cameras: readonly string[];
}

/** What somebody at the device wants to lend. */
export interface WantedScope extends Configured {
  readonly operations: readonly Operation[];
}

export class Things {
  readonly #records: Pick<Records, "numberOf">;
  readonly #configured: Configured;
  /** What was asked for before: the configuration is small, and does not change while we run. */
  readonly #numbers = new Map<string, number>();

  constructor(records: Pick<Records, "numberOf">, configured: Configured) {
    this.#records = records;
    this.#configured = configured;
  }

  /** The number of a service or camera of the configuration. */
  numberOf(kind: ThingKind, id: string): number {
    const name = `${kind} ${id}`;
    const number = this.#numbers.get(name) ?? this.#records.numberOf(kind, id);
    if (this.#all(kind).includes(id)) this.#numbers.set(name, number);
    return number;
  }

  /** A scope for a grant. Throws a RangeError, for people, that names what there is not. */
  scopeOf({ services, cameras, operations }: WantedScope): Scope {
    const scope = {
      services: this.#numbersOf("service", services),
      cameras: this.#numbersOf("camera", cameras),
      operations,
    };
    if (scope.services.length + scope.cameras.length === 0 || operations.length === 0) {
      throw new RangeError("Cannot lend: name a service or camera, and what may be done with it");
    }
    return scope;
  }

  /** Ids in the scope. What is not configured any more is left out. */
  idsOf(scope: Scope): Configured {
    return {
      services: this.#ids("service", scope.services),
      cameras: this.#ids("camera", scope.cameras),
    };
  }

  #numbersOf(kind: ThingKind, ids: readonly string[]): number[] {
    const all = this.#all(kind);
    const unknown = ids.find((id) => !all.includes(id));
    if (unknown !== undefined) {
      const known = all.length > 0 ? all.join(", ") : "none";
      throw new RangeError(`Cannot lend: there is no ${kind} '${unknown}'. There is: ${known}`);
    }
    if (new Set(ids).size > MAX_SCOPE_NUMBERS) {
      throw new RangeError(`Cannot lend: a grant takes ${MAX_SCOPE_NUMBERS} ${kind}s at most`);
    }
    return [...new Set(ids)].map((id) => this.numberOf(kind, id)).sort((a, b) => a - b);
  }

  #ids(kind: ThingKind, numbers: readonly number[]): string[] {
    return this.#all(kind).filter((id) => numbers.includes(this.numberOf(kind, id)));
  }

  #all(kind: ThingKind): readonly string[] {
    return kind === "service" ? this.#configured.services : this.#configured.cameras;
  }
}
