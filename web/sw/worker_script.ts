/**
 * Puts our script in front of a worker's own. Pure apart from the stream that it works on. What is put in front stands on
 * the script's first line, so that the numbers of lines in its errors stay.
 *
 * Nothing in a request says whether a worker is a classic script or a module, so the text must. Only a module has `import`
 * and `export` declarations: those are carried out before the module's own lines, so ours must be the first of them. In
 * every other text our script itself can stand: it is right in both kinds.
 */
import { type Bytes, concat, utf8 } from "../../src/lib/bytes.ts";
import { INJECT_PATH } from "./inject_html.ts";

/** Longest script that is looked at as a whole, in bytes; a longer one counts as classic. */
const MAX_LOOKED_AT_BYTES = 32 << 20;

const MAY_BE_MODULE = /(?:^|[\s;}*\/])(?:import|export)\b/;
/** Blanks and comments, then the directive (ECMA-262 11.2.1): in front of it our script would switch it off. */
const USE_STRICT = /^(?:\s+|\/\/[^\n\r]*|\/\*[^*]*(?:\*(?!\/)[^*]*)*\*\/)*(["'])use strict\1/;
/** How far the directive is looked for, in characters: licence texts may stand before it. */
const DIRECTIVE_WITHIN = 16 << 10;

const WORKERS = new Set(["worker", "sharedworker"]);

/** Whether a request is for a worker's main script. */
export function isWorkerScript(destination: string): boolean {
  return WORKERS.has(destination);
}

/** A stream that passes a worker's script on with ours in front. `own` gives our script's text. */
export function workerScriptStream(
  own: () => Promise<string>,
): TransformStream<Uint8Array, Bytes> {
  const held: Bytes[] = [];
  let length = 0;
  let begun = false;
  const begin = async (controller: TransformStreamDefaultController<Bytes>) => {
    begun = true;
    const whole = length <= MAX_LOOKED_AT_BYTES;
    const source = concat(...held.splice(0));
    controller.enqueue(utf8(await prefix(source, { own, whole })));
    controller.enqueue(source);
  };
  return new TransformStream<Uint8Array, Bytes>({
    async transform(chunk, controller) {
      if (begun) return controller.enqueue(chunk as Bytes);
      held.push(chunk as Bytes);
      length += chunk.length;
      if (length > MAX_LOOKED_AT_BYTES) await begin(controller);
    },
    async flush(controller) {
      if (!begun) await begin(controller);
    },
  });
}

async function prefix(
  source: Bytes,
  { own, whole }: { own: () => Promise<string>; whole: boolean },
): Promise<string> {
  const text = new TextDecoder().decode(source); // workers' scripts are UTF-8 (HTML 10.2.4)
  if (whole && hasModuleSyntax(text)) return `import "${INJECT_PATH}";`;
  const directive = USE_STRICT.test(text.slice(0, DIRECTIVE_WITHIN)) ? `"use strict";` : "";
  return `${directive}${(await own()).trimEnd().replaceAll("\n", " ")};`;
}

/**
 * Whether only a module can be written so. The words alone say little: they stand in comments, strings and `import()`. So
 * the text is parsed as a function's body, which like a classic script has neither declaration. It is not run.
 */
export function hasModuleSyntax(text: string): boolean {
  if (!MAY_BE_MODULE.test(text)) return false;
  try {
    new Function(text.replace(/^#!.*/, ""));
    return false;
  } catch {
    return true; // or broken, which it is as a module as well
  }
}
