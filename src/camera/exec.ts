/**
 * The `exec:` camera: a program that writes H.264 in Annex B to its standard output, such as ffmpeg.
 * It is started without a shell and ended with the last viewer; restarts are the hub's.
 */
import { AnnexBReader } from "./annexb_reader.ts";
import { type Clock, SYSTEM_CLOCK } from "./clock.ts";
import { Program } from "./program.ts";
import type { Source, UnitSink } from "./source.ts";

export class ExecSource implements Source {
  readonly #command: readonly string[];
  readonly #clock: Clock;

  /** `command` is the program and its arguments. */
  constructor(command: readonly string[], clock: Clock = SYSTEM_CLOCK) {
    this.#command = command;
    this.#clock = clock;
  }

  async run(sink: UnitSink, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const [command, clock, reader] = [this.#command, this.#clock, new AnnexBReader()];
    const error = await new Program({ command, clock, reader, sink }).run(signal);
    if (!signal.aborted) throw error;
  }
}
