/** Secrets as a search through logs looks for them: each in every form in which a program could have written it. */
import { createHash } from "node:crypto";
import {
  type Bytes,
  fromBase64Url,
  toBase32,
  toBase64Url,
  toHex,
  utf8,
} from "../../src/lib/bytes.ts";

/** Shorter text would be found by chance. */
const LEAST_CHARACTERS = 3;
/** Text shorter than this is looked for as a whole word, and its encodings are not looked for at all. */
const WORD_CHARACTERS = 10;
const PART_OF_WORD = "[A-Za-z0-9+/_-]";

/** Something that must not be written anywhere but in its place. */
export interface Needle {
  readonly name: string;
  /** Any of these gives it away. */
  readonly forms: readonly string[];
  /** A text in which it stands rightly: a form that is not even found there would find nothing in a log either. */
  readonly place: string;
}

/** A needle for text. Throws an Error when it does not stand in its place. */
export function textNeedle(name: string, text: string, place: string): Needle {
  if (text.length < LEAST_CHARACTERS) throw new Error(`Cannot look for "${name}": too short`);
  const url = encodeURIComponent(text);
  return checked({ name, forms: [text, url, ...byteForms(utf8(text))], place });
}

/** A needle for bytes. Throws an Error when it does not stand in its place. */
export function byteNeedle(name: string, bytes: Bytes, place: string): Needle {
  return checked({ name, forms: byteForms(bytes), place });
}

/** A needle for every private key in a file of keys (`key_file.ts`), whole and without its PKCS#8 frame. */
export function keyNeedles(name: string, file: string): Needle[] {
  const { keys } = JSON.parse(file) as { keys: { private: string }[] };
  return keys.flatMap(({ private: text }, index) => {
    const whole = fromBase64Url(text);
    const seed = whole.slice(-32);
    return [
      byteNeedle(`${name} ${index}`, whole, file),
      byteNeedle(`${name} ${index}, bare`, seed, `${file} ${toHex(seed)}`),
    ];
  });
}

/** The needles that stand in a text, each with the form that was found. */
export function found(text: string, needles: readonly Needle[]): string[] {
  return needles.flatMap(({ name, forms }) =>
    forms.filter((form) => stands(text, form)).slice(0, 1).map((form) => `${name}: ${form}`)
  );
}

function stands(text: string, form: string): boolean {
  if (form.length >= WORD_CHARACTERS || !text.includes(form)) return text.includes(form);
  const escaped = form.replaceAll(/[^A-Za-z0-9]/g, "\\$&");
  return new RegExp(`(?<!${PART_OF_WORD})${escaped}(?!${PART_OF_WORD})`).test(text);
}

function checked(needle: Needle): Needle {
  if (found(needle.place, [needle]).length === 0) {
    throw new Error(`Cannot look for "${needle.name}": it is not even where it should be`);
  }
  return needle;
}

/** How bytes are written: digits, three alphabets, a list, a digest. */
function byteForms(bytes: Bytes): string[] {
  const hex = toHex(bytes);
  return [
    hex,
    hex.toUpperCase(),
    hex.replaceAll(/..(?=.)/g, "$&:"),
    hex.toUpperCase().replaceAll(/..(?=.)/g, "$&:"),
    toBase32(bytes),
    bytes.join(),
    bytes.join(", "),
    createHash("sha256").update(bytes).digest("hex"),
    ...[0, 1, 2].flatMap((offset) => base64Within(bytes.subarray(offset))),
  ].filter((form) => form.length >= WORD_CHARACTERS);
}

/** As it stands in the Base64 of a longer text, where it may begin at any of three places. */
function base64Within(bytes: Bytes): string[] {
  const url = toBase64Url(bytes.slice(0, bytes.length - bytes.length % 3));
  return [url, url.replaceAll("-", "+").replaceAll("_", "/")];
}
