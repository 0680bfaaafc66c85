/**
 * Which way imports point (ARCHITECTURE.md, import table), as data, and the function that finds what points elsewhere.
 * Need an exception? Change the table in the same commit and say why in its row.
 *
 * Text is read by regular expressions, not by a compiler: a string inside a template literal's `${}` is not seen.
 */

/** What the files below one folder may import besides each other. */
export interface Row {
  readonly folder: string;
  /** Folders (ending in "/") and files of the checkout. */
  readonly paths: readonly string[];
  /** Names in deno.json's import map. */
  readonly packages: readonly string[];
  /** What both runtimes have built in, without "node:". */
  readonly builtins: readonly string[];
  readonly why: string;
}

const LIB = "src/lib/";
const BYTES = "src/lib/bytes.ts";
const PROTOCOL = "src/protocol/";
const TRUST = "src/trust/";

/** The table. Files directly in `src/` are the composition root: they may import everything. */
export const ROWS: readonly Row[] = [
  {
    folder: "src/lib/",
    paths: [],
    packages: ["@logtape/logtape"],
    builtins: ["crypto", "fs"],
    why: "leaves without domain words; the log sink writes to stderr, Digest wants MD5",
  },
  {
    folder: PROTOCOL,
    paths: [BYTES],
    packages: ["cbor-x"],
    builtins: [],
    why: "pure and shared with web/: bytes in, values out",
  },
  {
    folder: TRUST,
    paths: [PROTOCOL, BYTES],
    packages: ["@hpke/core", "@noble/ed25519", "cborg"],
    builtins: [],
    why: "shared with web/: WebCrypto and libraries that run in browsers",
  },
  {
    folder: "src/agent/",
    paths: [PROTOCOL, TRUST, LIB],
    packages: [],
    builtins: [],
    why: "drives a session through the seams that it declares; no sockets of its own",
  },
  {
    folder: "src/upstream/",
    paths: [PROTOCOL, TRUST, LIB],
    packages: ["ws"],
    builtins: [
      "buffer",
      "crypto",
      "fs/promises",
      "http",
      "https",
      "net",
      "stream",
      "tls",
      "zlib",
    ],
    why: "speaks HTTP and WebSocket to the services; fetch rewrites paths and Host",
  },
  {
    folder: "src/camera/",
    paths: [LIB],
    packages: [],
    builtins: [
      "buffer",
      "child_process",
      "crypto",
      "dgram",
      "fs",
      "http",
      "https",
      "net",
      "process",
      "stream",
      "tls",
    ],
    why:
      "RTSP over TCP and UDP, pictures over HTTP, cameras that are child processes; fs to see an encoder",
  },
  {
    folder: "src/webrtc/",
    paths: [LIB],
    packages: ["werift"],
    builtins: ["buffer", "crypto", "dns/promises", "net", "os", "timers/promises", "tls"],
    why: "the only folder that knows werift; main hands UDP sockets in; relays over TCP and TLS",
  },
  {
    folder: "src/control/",
    paths: [PROTOCOL, TRUST, LIB],
    packages: ["@hono/node-server", "hono", "ws"],
    builtins: [
      "buffer",
      "crypto",
      "fs",
      "fs/promises",
      "http",
      "https",
      "net",
      "os",
      "path",
      "process",
      "timers/promises",
    ],
    why: "identity, pairing, the rendezvous client (ws), the local admin socket",
  },
  {
    folder: "src/doctor/",
    paths: [LIB],
    packages: [],
    builtins: ["fs", "fs/promises", "path"],
    why: "looks through the seams that it declares; of files it reads rights alone",
  },
  {
    folder: "src/metrics/",
    paths: [LIB],
    packages: [],
    builtins: ["http", "net"],
    why: "Prometheus's text over HTTP; what is counted comes from the others",
  },
  {
    folder: "src/store/",
    paths: [LIB],
    packages: [],
    builtins: ["crypto", "fs", "fs/promises", "module", "os", "path", "sqlite"],
    why: "the only folder that knows node:sqlite; chains the lines of its log by their hashes",
  },
  {
    folder: "src/rendezvous/",
    paths: [PROTOCOL, TRUST, LIB],
    packages: ["@hono/node-server", "hono", "ws"],
    builtins: ["buffer", "crypto", "http", "net", "stream"],
    why: "a server for browsers and devices",
  },
  {
    folder: "src/demo/",
    paths: [PROTOCOL, TRUST, LIB],
    packages: ["@hono/node-server", "hono", "ws"],
    builtins: ["buffer", "crypto", "events", "http", "net", "stream", "zlib"],
    why: "the sample device has pages, a WebSocket and events of its own",
  },
  {
    folder: "src/platform/",
    paths: [LIB],
    packages: [],
    builtins: ["child_process", "dgram", "fs/promises", "module", "process"],
    why: "what Deno and Node do differently, and what the process is told and tells outside",
  },
  {
    folder: "web/",
    paths: [PROTOCOL, TRUST, BYTES, "src/lib/network_path.ts"],
    packages: ["hono", "qr"],
    builtins: [],
    why: "runs in browsers; hono/jsx/dom and QR codes for the shell",
  },
];

/**
 * Packages that more than one row may name. ws is the same protocol on both sides; hono is server and shell UI; its
 * adapter goes with it.
 */
export const SHARED_PACKAGES: readonly string[] = ["hono", "@hono/node-server", "ws"];

/** What tests beside the code may import besides their folder's row. */
const TEST_PACKAGES: readonly string[] = ["fast-check", "playwright-core", "qr", "ws"];
const TEST_PATHS: readonly string[] = [
  "tests/vnet/",
  "tests/vectors/",
  "src/agent/seams.ts", // types that a part must match
  "src/store/store.ts", // stands on no other part: no double is better than it
];
/** Tests, and what stands beside them only for them. */
const IS_TEST = /(?:_test|\/fixture|\/test_ends|\/test_parts)\.tsx?$|\/testing\//;

/** Globals of one runtime: the same bundle runs on Deno and Node. */
const MAY_USE_DENO = ["src/platform/", "src/main.ts"];

/** Words that a folder's code must not contain, tests excepted. */
const FORBIDDEN: readonly {
  readonly folder: string;
  readonly word: RegExp;
  readonly why: string;
}[] = [
  {
    folder: "src/",
    word: /^\s*(?:await )?using \w+ =/m,
    why: "Node 22 cannot read it, and the bundler leaves it in",
  },
  {
    folder: PROTOCOL,
    word: /\b(?:Date\.now|new Date\b|performance\.|setTimeout|setInterval|queueMicrotask)/,
    why: "time is an argument",
  },
  { folder: PROTOCOL, word: /\bMath\.random|\bcrypto\./, why: "chance is an argument" },
  {
    folder: PROTOCOL,
    word: /\basync\b|\bawait\b|\bfetch\s*\(/,
    why: "a pure core waits for nothing",
  },
  {
    folder: TRUST,
    word: /\b(?:Date\.now|new Date\b|performance\.|setTimeout|setInterval)|\bfetch\s*\(/,
    why: "time is an argument, and no I/O",
  },
];

/** Reports each import and each word that no row allows. `files` maps a path from the root of the checkout to its text. */
export function violations(files: ReadonlyMap<string, string>): string[] {
  const found: string[] = [];
  for (const [path, text] of files) {
    const source = readSource(text);
    found.push(...wrongImports(path, source.specifiers), ...wrongWords(path, source.code));
  }
  return found;
}

function wrongImports(path: string, specifiers: readonly string[]): string[] {
  const row = ROWS.find(({ folder }) => path.startsWith(folder));
  if (row === undefined) {
    return isKnownRoot(path) ? [] : [`${path} lies in a folder that has no row`];
  }
  return specifiers
    .map((specifier) => resolve(path, specifier))
    .filter((target) => !isAllowed(target, row, path))
    .map((target) => `${path} imports ${target}`);
}

/** Whether a file outside all rows is where the parts are put together. */
function isKnownRoot(path: string): boolean {
  return /^src\/[^/]+$/.test(path);
}

function isAllowed(target: string, row: Row, importer: string): boolean {
  const isTest = IS_TEST.test(importer);
  if (target.startsWith("node:")) {
    return isTest || row.builtins.includes(target.slice("node:".length));
  }
  if (/^(?:src|web|tests|cross)\//.test(target)) {
    if (IS_TEST.test(target) && !isTest) return false;
    return [row.folder, ...row.paths, ...isTest ? TEST_PATHS : []].some((path) =>
      path.endsWith("/") ? target.startsWith(path) : target === path
    );
  }
  const packages = isTest ? [...row.packages, ...TEST_PACKAGES] : row.packages;
  return packages.some((name) => target === name || target.startsWith(`${name}/`));
}

/** A specifier as a path from the root of the checkout, or as it is if it names a package or a built-in module. */
function resolve(importer: string, specifier: string): string {
  return /^\.{1,2}\//.test(specifier)
    ? new URL(specifier, `file:///${importer}`).pathname.slice(1)
    : specifier;
}

function wrongWords(path: string, code: string): string[] {
  if (IS_TEST.test(path)) return [];
  const found: string[] = [];
  const mayUseDeno = MAY_USE_DENO.some((place) => path.startsWith(place));
  if (!mayUseDeno && /\bDeno\b/.test(code)) found.push(`${path} uses Deno: only src/platform/ may`);
  for (const { folder, word, why } of FORBIDDEN) {
    const [hit] = path.startsWith(folder) ? word.exec(code) ?? [] : [];
    if (hit !== undefined) found.push(`${path} uses "${hit}": ${why}`);
  }
  return found;
}

/** Comments, texts and regular expressions of TypeScript, each as one piece. */
const PIECE = new RegExp(
  [
    String.raw`\/\/[^\n]*`,
    String.raw`\/\*[\s\S]*?\*\/`,
    String.raw`"(?:\\.|[^"\\\n])*"`,
    String.raw`'(?:\\.|[^'\\\n])*'`,
    "`(?:\\\\[\\s\\S]|[^`\\\\])*`",
    // A slash begins a regular expression only where a value may begin.
    String
      .raw`(?<=(?:[(,=:\[!&|?{};+]|\breturn|=>)\s*)\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^\/\\\[\n])+\/`,
  ].join("|"),
  "g",
);
/** What stands in front of a module specifier: static, dynamic and type imports, re-exports, bare imports. */
const BEFORE_SPECIFIER = /(?<![.\w$])(?:from\s*|import\s*\(?\s*)$/;

/** Splits a text into the modules that it names and the code without comments and texts. */
function readSource(text: string): { specifiers: string[]; code: string } {
  const specifiers: string[] = [];
  let code = "";
  let end = 0;
  for (const piece of text.matchAll(PIECE)) {
    code += text.slice(end, piece.index);
    end = piece.index + piece[0].length;
    const isText = /^["'`]/.test(piece[0]);
    if (isText && BEFORE_SPECIFIER.test(code)) specifiers.push(piece[0].slice(1, -1));
    code += isText ? '""' : " ";
  }
  return { specifiers, code: code + text.slice(end) };
}
