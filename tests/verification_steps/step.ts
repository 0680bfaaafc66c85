/** One check of the code, and the test that must notice when it is gone. */

export interface Deletion {
  /** Exact source text, which occurs once in the file. */
  readonly text: string;
  /** What stands there when the check is gone. */
  readonly instead: string;
}

export interface Step {
  readonly file: string;
  /** What is checked. */
  readonly what: string;
  /** Mostly one; two where both ends of a thing lie in one file. */
  readonly deletions: readonly Deletion[];
  /** Goes red without the check. */
  readonly test: { readonly file: string; readonly name: string };
}

/** A step as the tables write it. */
export type Row = readonly [
  what: string,
  text: string | readonly Deletion[],
  instead: string,
  test: string,
];

/** The checks of one file, whose tests lie in another. */
export function stepsOf(
  file: string,
  tests: Readonly<Record<string, readonly Row[]>>,
): readonly Step[] {
  return Object.entries(tests).flatMap(([testFile, rows]) =>
    rows.map(([what, text, instead, name]) => ({
      file,
      what,
      deletions: typeof text === "string" ? [{ text, instead }] : text,
      test: { file: testFile, name },
    }))
  );
}

/** The source without the check. Throws unless each text occurs once. */
export function withoutCheck(source: string, { file, what, deletions }: Step): string {
  let changed = source;
  for (const { text, instead } of deletions) {
    const found = changed.split(text).length - 1;
    if (found !== 1) {
      throw new Error(`Cannot delete "${what}" of ${file}: its text is there ${found} times`);
    }
    changed = changed.replace(text, () => instead);
  }
  return changed;
}
