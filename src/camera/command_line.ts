/** Splits a command line into words, without a shell. Pure. */

const MAX_CHARACTERS = 4096;
const MAX_WORDS = 256;

/**
 * Words end at spaces. Double and single quotes keep spaces; a backslash outside single quotes
 * keeps the next character. Nothing else is special: no variables, no pipes. Throws a TypeError
 * with a remedy.
 */
export function splitCommand(text: string): string[] {
  if (text.length > MAX_CHARACTERS) throw refusal(`it is longer than ${MAX_CHARACTERS} characters`);
  if (text.includes("\0")) throw refusal("it holds a NUL character");
  const words: string[] = [];
  const word = /\s*((?:[^\s"'\\]|\\[^]|"(?:[^"\\]|\\[^])*"|'[^']*')+)(?=\s|$)/y;
  let end = 0;
  for (let match = word.exec(text); match !== null; match = word.exec(text)) {
    words.push(unquote(match[1]!));
    end = word.lastIndex;
  }
  if (text.slice(end).trim() !== "") throw refusal("a quote or backslash is not closed");
  if (words.length === 0) throw refusal("it names no program");
  if (words.length > MAX_WORDS) throw refusal(`it has more than ${MAX_WORDS} words`);
  return words;
}

function unquote(word: string): string {
  return word.replace(
    /\\([^])|"((?:[^"\\]|\\[^])*)"|'([^']*)'/g,
    (_, escaped?: string, double?: string, single?: string) =>
      escaped ?? single ?? double!.replace(/\\([^])/g, "$1"),
  );
}

function refusal(reason: string): TypeError {
  return new TypeError(`Cannot read camera command: ${reason}`);
}
