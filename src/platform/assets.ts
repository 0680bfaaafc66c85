/**
 * The files that the program hands out: the shell and the content origins' scripts, the demo's pages, the test clip.
 * From a checkout they are read from disk, here; in an artefact they are part of the bundle (cross/bundle_program.ts),
 * under the same keys. Parts get the map from `main` and never look for files of their own.
 */
import { readdir, readFile } from "node:fs/promises";

/** One file: its bytes and what `content-type` says of it. */
export interface Asset {
  readonly bytes: Uint8Array;
  readonly type: string;
}

/** Keys are paths with forward slashes: "shell/index.html", "content/sw.js", "demo/index.html", "camera/test_clip.h264". */
export type Assets = ReadonlyMap<string, Asset>;

/** Where each group of keys comes from in a checkout. */
const FOLDERS: readonly { readonly prefix: string; readonly folder: string }[] = [
  { prefix: "", folder: "dist/web/" },
  { prefix: "demo/", folder: "src/demo/site/" },
];
const FILES: readonly { readonly key: string; readonly file: string }[] = [
  { key: "camera/test_clip.h264", file: "src/camera/test_clip.h264" },
];

const TYPES: ReadonlyMap<string, string> = new Map([
  ["css", "text/css; charset=utf-8"],
  ["h264", "video/h264"],
  ["html", "text/html; charset=utf-8"],
  ["ico", "image/x-icon"],
  ["jpg", "image/jpeg"],
  ["js", "text/javascript; charset=utf-8"],
  ["json", "application/json"],
  ["mp3", "audio/mpeg"],
  ["mp4", "video/mp4"],
  ["png", "image/png"],
  ["svg", "image/svg+xml"],
  ["txt", "text/plain; charset=utf-8"],
  ["wasm", "application/wasm"],
  ["webmanifest", "application/manifest+json"],
  ["webp", "image/webp"],
  ["woff2", "font/woff2"],
]);

/** The `content-type` for a file name; a kind that is not known here is handed out as plain bytes. */
export function contentType(name: string): string {
  const ending = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  return TYPES.get(ending) ?? "application/octet-stream";
}

/**
 * Reads all assets of the checkout at `root` (a URL that ends in a slash). Throws with the remedy where a part is not
 * there, as `dist/web` is not before it has been bundled.
 */
export async function readAssets(root: URL): Promise<Assets> {
  const assets = new Map<string, Asset>();
  const add = async (key: string, file: URL) => {
    assets.set(key, { bytes: await readFile(file), type: contentType(key) });
  };
  try {
    for (const { prefix, folder } of FOLDERS) {
      const home = new URL(folder, root);
      for (const path of await filesBelow(home)) await add(prefix + path, new URL(path, home));
    }
    for (const { key, file } of FILES) await add(key, new URL(file, root));
  } catch (cause) {
    throw new Error("Cannot read the program's own files: run 'deno task bundle:web' first", {
      cause,
    });
  }
  return assets;
}

/** Paths of all files below a folder, relative to it, in a stable order. Names that begin with a dot are left out. */
async function filesBelow(folder: URL): Promise<string[]> {
  const paths: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.name.startsWith(".")) continue;
    const below = entry.isDirectory()
      ? (await filesBelow(new URL(`${entry.name}/`, folder))).map((path) => `${entry.name}/${path}`)
      : [entry.name];
    paths.push(...below);
  }
  return paths.sort();
}
