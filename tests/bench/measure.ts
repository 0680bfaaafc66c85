/**
 * What a benchmark says of its samples: pure arithmetic and text. A figure is a median with the least and the largest
 * sample beside it; a ratio compares two figures whose samples were taken in turn, pair by pair.
 */

/** Units of figures: throughput, time, memory. A larger value is better for the first alone. */
export type Unit = "Mbit/s" | "ms" | "MB";

/** What was measured of one thing on one way. */
export interface Figure {
  /** What, as in "download". */
  readonly measure: string;
  /** Which way or state, as in "tunnel", "direct", "idle". */
  readonly variant: string;
  readonly unit: Unit;
  /** In the order in which they were taken. Never empty. */
  readonly samples: readonly number[];
}

/** The middle and the edges of a figure's samples. */
export interface Summary {
  readonly count: number;
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** One figure's samples over another's, pair by pair. */
export interface Ratio extends Summary {
  readonly measure: string;
  /** Which over which, as in "tunnel / direct". */
  readonly variants: string;
}

/** A figure. Throws a TypeError without samples, or for one that is no number. */
export function figure(
  measure: string,
  { variant, unit, samples }: Omit<Figure, "measure">,
): Figure {
  if (samples.length === 0) throw new TypeError(`Cannot sum up "${measure}": no samples`);
  const odd = samples.find((sample) => !Number.isFinite(sample));
  if (odd !== undefined) throw new TypeError(`Cannot sum up "${measure}": a sample is ${odd}`);
  return { measure, variant, unit, samples: [...samples] };
}

/** The value that the share `part` (0 to 1) of the samples does not exceed; between two samples, a part of the way. */
export function quantile(samples: readonly number[], part: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (sorted.length - 1) * part;
  const below = sorted[Math.floor(at)];
  const above = sorted[Math.ceil(at)];
  if (below === undefined || above === undefined) {
    throw new TypeError("Cannot find a quantile: no samples");
  }
  return below + (above - below) * (at - Math.floor(at));
}

export function summarize(samples: readonly number[]): Summary {
  return {
    count: samples.length,
    median: quantile(samples, 0.5),
    min: Math.min(...samples),
    max: Math.max(...samples),
  };
}

/** The ratio of two figures of one measure. Throws a TypeError unless both have as many samples. */
export function ratio(over: Figure, under: Figure): Ratio {
  if (over.samples.length !== under.samples.length) {
    throw new TypeError(`Cannot compare "${over.measure}": samples do not come in pairs`);
  }
  const pairs = over.samples.map((sample, index) => sample / under.samples[index]!);
  const variants = `${over.variant} / ${under.variant}`;
  return { measure: over.measure, variants, ...summarize(pairs) };
}

/** Three significant digits, without an exponent. */
export function shortNumber(value: number): string {
  const magnitude = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)));
  return value.toFixed(Math.max(0, Math.min(2, 2 - magnitude)));
}
