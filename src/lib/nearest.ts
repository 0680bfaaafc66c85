/** Finds what somebody meant who mistyped a word: for keys of the configuration, commands and options. */

/** Changes up to which two words are taken for the same word, mistyped; and never more than half of the word. */
const MOST_CHANGES = 3;

/** The word of `known` that `word` most resembles, or undefined if none is near. Case does not count. */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  const [nearest] = known
    .map((candidate) => ({ candidate, changes: changesBetween(word, candidate) }))
    .filter(({ candidate, changes }) =>
      changes <= Math.min(MOST_CHANGES, Math.floor(candidate.length / 2))
    )
    .sort((a, b) => a.changes - b.changes);
  return nearest?.candidate;
}

/** Levenshtein distance: letters put in, taken out or replaced. */
function changesBetween(from: string, to: string): number {
  if (Math.abs(from.length - to.length) > MOST_CHANGES) return Infinity; // bounds the work too
  const wanted = to.toLowerCase();
  let row = Array.from({ length: wanted.length + 1 }, (_, column) => column);
  for (const [index, letter] of [...from.toLowerCase()].entries()) {
    const next = [index + 1];
    for (let column = 1; column <= wanted.length; column++) {
      const replaced = row[column - 1]! + (wanted[column - 1] === letter ? 0 : 1);
      next.push(Math.min(replaced, row[column]! + 1, next[column - 1]! + 1));
    }
    row = next;
  }
  return row.at(-1)!;
}
