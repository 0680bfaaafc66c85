/**
 * Frames that HTML gives no origin (`sandbox` without `allow-same-origin`): what they load passes the service worker, so the
 * address must be out of the way before a parser sees it. Pure. `src` becomes `data-porthole-src`; web/inject/sandboxed.ts
 * goes on from there. Only characters are put in, no quotes, so that a script with such HTML in its text stays one.
 */
import { type Bytes, concat, utf8 } from "../../src/lib/bytes.ts";

/** What stands before `src`. */
const HOLD = "data-porthole-";

/** The attribute that has the address. */
export const HELD_ATTRIBUTE = `${HOLD}src`;

/** Longest tag that is looked at, in bytes; it may have a page of its own in `srcdoc`. */
const MAX_TAG_BYTES = 64 << 10;

const FRAME = /<iframe(?=[\t\n\f\r />])/gi;
const BLANK = /[\t\n\f\r /]/;
/** The start of a tag's name may be the end of what is there so far. */
const BEGUN = /<(?:i(?:f(?:r(?:a(?:m(?:e)?)?)?)?)?)?$/i;

interface Attribute {
  readonly name: string;
  /** Offset of the name. */
  readonly at: number;
  readonly value: string;
}

/** The same HTML, with the addresses of such frames held. */
export function holdFrames(html: string): string {
  let result = "";
  let done = 0;
  for (const place of places(html).holds) {
    result += html.slice(done, place) + HOLD;
    done = place;
  }
  return result + html.slice(done);
}

/** The same for HTML in any encoding that writes ASCII as ASCII. */
export function holdFramesStream(): TransformStream<Uint8Array, Bytes> {
  let waiting: Bytes = new Uint8Array(0);
  return new TransformStream<Uint8Array, Bytes>({
    transform(chunk, controller) {
      const bytes = waiting.length === 0 ? chunk as Bytes : concat(waiting, chunk);
      const { holds, open } = places(new TextDecoder("latin1").decode(bytes));
      const end = bytes.length - open > MAX_TAG_BYTES ? bytes.length : open;
      emit(controller, bytes.subarray(0, end), holds);
      waiting = bytes.slice(end);
    },
    flush: (controller) => emit(controller, waiting, []),
  });
}

function emit(
  controller: TransformStreamDefaultController<Bytes>,
  bytes: Bytes,
  holds: readonly number[],
): void {
  const parts: Bytes[] = [];
  let done = 0;
  for (const place of holds) {
    parts.push(bytes.subarray(done, place), utf8(HOLD));
    done = place;
  }
  const rest = bytes.subarray(done);
  if (parts.length > 0) controller.enqueue(concat(...parts, rest));
  else if (rest.length > 0) controller.enqueue(rest);
}

/** Where to hold; `open` is the offset of a tag that is not complete, else the length. */
function places(html: string): { holds: number[]; open: number } {
  const holds: number[] = [];
  for (const { index } of html.matchAll(FRAME)) {
    const attributes = readTag(html, index + "<iframe".length);
    if (attributes === undefined) return { holds, open: index };
    const held = heldAttribute(attributes);
    if (held !== undefined) holds.push(held);
  }
  const isBegun = BEGUN.test(html.slice(-"<iframe".length));
  return { holds, open: isBegun ? html.lastIndexOf("<") : html.length };
}

/** Offset of the `src` to be held. Of two attributes with one name the first counts (HTML 13.2.5.33). */
function heldAttribute(attributes: readonly Attribute[]): number | undefined {
  const find = (wanted: string) => attributes.find(({ name }) => name === wanted);
  const sandbox = find("sandbox");
  const isBoxed = sandbox !== undefined &&
    !/(?:^|\s)allow-same-origin(?:\s|$)/i.test(sandbox.value);
  return isBoxed ? find("src")?.at : undefined;
}

/** The attributes of a start tag (HTML 13.2.5.32 to 13.2.5.39); undefined when it does not end. */
function readTag(html: string, start: number): Attribute[] | undefined {
  const attributes: Attribute[] = [];
  let at = start;
  for (;;) {
    at = skip(html, at, BLANK);
    if (at >= html.length) return undefined;
    if (html[at] === ">") return attributes;
    const name = at;
    at = until(html, at + 1, /[\t\n\f\r />=]/);
    const nameEnd = at;
    at = skip(html, at, /[\t\n\f\r ]/);
    let value = "";
    if (html[at] === "=") {
      at = skip(html, at + 1, /[\t\n\f\r ]/);
      const quote = html[at] === '"' || html[at] === "'" ? html[at]! : undefined;
      const from = quote === undefined ? at : at + 1;
      const to = quote === undefined
        ? until(html, from, /[\t\n\f\r >]/)
        : html.indexOf(quote, from);
      if (to < 0) return undefined;
      value = html.slice(from, to);
      at = quote === undefined ? to : to + 1;
    }
    attributes.push({ name: html.slice(name, nameEnd).toLowerCase(), at: name, value });
  }
}

function skip(text: string, start: number, pattern: RegExp): number {
  let at = start;
  while (at < text.length && pattern.test(text[at]!)) at++;
  return at;
}

function until(text: string, start: number, pattern: RegExp): number {
  let at = start;
  while (at < text.length && !pattern.test(text[at]!)) at++;
  return at;
}
