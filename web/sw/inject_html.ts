/**
 * Puts our script in front of a device page's own. Pure apart from the stream that it works on. The tag goes right
 * behind the doctype: a parser then opens `html` and `head` for it, merges the attributes of an `html` tag that comes
 * later and ignores a second `head` tag (HTML 13.2.6.4.3, 13.2.6.4.4). In front of it a doctype would be lost, and the
 * page would be laid out in quirks mode.
 */
import { type Bytes, concat, utf8 } from "../../src/lib/bytes.ts";
import { RESERVED_PREFIX } from "./port_messages.ts";

/** Path of the injected script. */
export const INJECT_PATH = `${RESERVED_PREFIX}inject.js`;

/** How far a doctype is looked for. Comments may stand before it; a page that begins with more has none for us. */
const LOOK_AHEAD_BYTES = 1024;

const COMMENT = "<!--";
const COMMENT_END = "-->";
const DOCTYPE = "<!doctype";
const UTF8_BOM = [0xef, 0xbb, 0xbf];

/** The attribute of our tag in which the page finds its cookies (`encodeCookieState`, as a URL's part). */
export const COOKIES_ATTRIBUTE = "data-cookies";

/** Likewise for the service's origin on its LAN. */
export const LAN_ATTRIBUTE = "data-lan";

/** What a page is told by its tag. */
export interface TagWords {
  /** Where the page's policy wants one. */
  readonly nonce?: string | undefined;
  /** Text of `encodeCookieState`. */
  readonly cookies?: string | undefined;
  /** An origin; empty for none. */
  readonly lan?: string | undefined;
}

/** The tag. ASCII, whatever the page's encoding. */
export function injectTag({ nonce, cookies, lan = "" }: TagWords = {}): string {
  const policy = nonce === undefined ? "" : ` nonce="${nonce}"`;
  const state = cookies === undefined
    ? ""
    : ` ${COOKIES_ATTRIBUTE}="${encodeURIComponent(cookies)}"`;
  const place = lan === "" ? "" : ` ${LAN_ATTRIBUTE}="${lan}"`;
  return `<script src="${INJECT_PATH}"${policy}${state}${place}></script>`;
}

/** Whether a response is HTML whose encoding writes ASCII as ASCII. UTF-16 and UTF-32 do not: they are left alone. */
export function mayInject(contentType: string): boolean {
  const [type, ...parameters] = contentType.toLowerCase().split(";");
  if (type!.trim() !== "text/html") return false; // split gives at least one item
  return !parameters.some((parameter) => /^\s*charset\s*=\s*"?utf-?(?:16|32)/.test(parameter));
}

/** A stream that passes HTML on with the tag in its place. */
export function injectStream(tag: string): TransformStream<Uint8Array, Bytes> {
  let held: Bytes | undefined = new Uint8Array(0);
  return new TransformStream<Uint8Array, Bytes>({
    transform(chunk, controller) {
      if (held === undefined) return controller.enqueue(chunk as Bytes);
      held = concat(held, chunk);
      const place = findPlace(held, false);
      if (place === undefined) return;
      emit(controller, held, { place, tag });
      held = undefined;
    },
    flush(controller) {
      if (held === undefined || held.length === 0) return; // an empty page stays empty
      emit(controller, held, { place: findPlace(held, true) ?? 0, tag });
    },
  });
}

/** Offset of the tag; -1 for text that is not ASCII-compatible; undefined while more bytes are needed. */
export function findPlace(bytes: Uint8Array, whole: boolean): number | undefined {
  if (isUtf16(bytes)) return -1;
  const bom = startsWithBom(bytes) ? UTF8_BOM.length : 0;
  const start = new TextDecoder("latin1").decode(bytes.subarray(bom, bom + LOOK_AHEAD_BYTES));
  const { offset, finished } = skipPrologue(start);
  return finished || whole || bytes.length >= LOOK_AHEAD_BYTES ? bom + offset : undefined;
}

/**
 * Passes blanks, comments and one doctype. A scan by hand: a pattern that may take a run of comments apart in many ways
 * takes time exponential in their number. What is unfinished at the end of the look-ahead gets the tag in front of it:
 * a page without our script is worse off than one in quirks mode.
 */
function skipPrologue(text: string): { offset: number; finished: boolean } {
  let offset = 0;
  for (;;) {
    while (/[\t\n\f\r ]/.test(text.charAt(offset))) offset++;
    const rest = text.slice(offset, offset + DOCTYPE.length).toLowerCase();
    if (rest.startsWith(COMMENT)) {
      const end = text.indexOf(COMMENT_END, offset + COMMENT.length);
      if (end < 0) return { offset, finished: false };
      offset = end + COMMENT_END.length;
    } else if (rest === DOCTYPE) {
      const end = text.indexOf(">", offset);
      return end < 0 ? { offset, finished: false } : { offset: end + 1, finished: true };
    } else {
      const atEnd = offset + rest.length === text.length;
      const maybe = atEnd && (COMMENT.startsWith(rest) || DOCTYPE.startsWith(rest));
      return { offset, finished: !maybe };
    }
  }
}

function emit(
  controller: TransformStreamDefaultController<Bytes>,
  held: Bytes,
  { place, tag }: { place: number; tag: string },
): void {
  if (place < 0) return controller.enqueue(held);
  controller.enqueue(concat(held.subarray(0, place), utf8(tag), held.subarray(place)));
}

function startsWithBom(bytes: Uint8Array): boolean {
  return UTF8_BOM.every((byte, index) => bytes[index] === byte);
}

/** By its mark, or by a zero in the first two bytes, which no HTML in an ASCII-compatible encoding has. */
function isUtf16(bytes: Uint8Array): boolean {
  const [first, second] = bytes;
  if (first === undefined || second === undefined) return false;
  const marked = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  return marked || first === 0 || second === 0;
}
