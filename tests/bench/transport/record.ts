/** The JSON file of the transport bench. It is written after each transfer, so that a run can go on. */
import { dirname } from "node:path";
import type { Machine } from "../machine.ts";
import { isSame, type Place, type Push, type Sample } from "./results.ts";

/** What both stacks ran on. */
export interface Facts extends Machine {
  /** Version of the module. */
  readonly pion: string;
}

interface Content {
  readonly facts: Facts;
  readonly samples: readonly Sample[];
  readonly pushes: readonly Push[];
}

export class Record {
  readonly samples: Sample[] = [];
  readonly pushes: Push[] = [];
  readonly #path: string;
  readonly #facts: Facts;

  constructor(path: string, facts: Facts) {
    this.#path = path;
    this.#facts = facts;
  }

  /** Takes over what the file has. Throws an Error when that is of other stacks or another machine. */
  async resume(): Promise<void> {
    const text = await Deno.readTextFile(this.#path).catch(() => undefined);
    if (text === undefined) return;
    const { facts, samples, pushes }: Content = JSON.parse(text);
    if (JSON.stringify(facts) !== JSON.stringify(this.#facts)) {
      throw new Error(`Cannot resume ${this.#path}: it is of another machine or commit`);
    }
    this.samples.push(...samples);
    this.pushes.push(...pushes);
  }

  has(place: Place): boolean {
    return this.samples.some((sample) => isSame(sample, place));
  }

  async add(sample: Sample): Promise<void> {
    this.samples.push(sample);
    await this.#save();
  }

  async addPush(push: Push): Promise<void> {
    this.pushes.push(push);
    await this.#save();
  }

  async #save(): Promise<void> {
    const content: Content = { facts: this.#facts, samples: this.samples, pushes: this.pushes };
    await Deno.mkdir(dirname(this.#path), { recursive: true });
    await Deno.writeTextFile(this.#path, JSON.stringify(content, undefined, 1) + "\n");
  }
}
