import assert from "node:assert/strict";
import { contentType, readAssets } from "./assets.ts";

async function checkout(files: Readonly<Record<string, string>>): Promise<URL> {
  const root = new URL(`file://${await Deno.makeTempDir()}/`);
  for (const [path, text] of Object.entries(files)) {
    const file = new URL(path, root);
    await Deno.mkdir(new URL(".", file), { recursive: true });
    await Deno.writeTextFile(file, text);
  }
  return root;
}

const COMPLETE = {
  "dist/web/shell/index.html": "<p>",
  "dist/web/shell/icons/a.png": "png",
  "dist/web/content/sw.js": "sw",
  "dist/web/.stamp": "not handed out",
  "src/demo/site/index.html": "demo",
  "src/camera/test_clip.h264": "clip",
};

Deno.test("assets have the keys and types that the parts ask for", async () => {
  const root = await checkout(COMPLETE);
  const assets = await readAssets(root);
  assert.deepEqual([...assets].map(([key, { type }]) => `${key} ${type}`), [
    "content/sw.js text/javascript; charset=utf-8",
    "shell/icons/a.png image/png",
    "shell/index.html text/html; charset=utf-8",
    "demo/index.html text/html; charset=utf-8",
    "camera/test_clip.h264 video/h264",
  ]);
  assert.equal(new TextDecoder().decode(assets.get("demo/index.html")!.bytes), "demo");
  await Deno.remove(root, { recursive: true });
});

Deno.test("a checkout that was not bundled is refused with the remedy", async () => {
  const root = await checkout({ "src/demo/site/index.html": "demo" });
  await assert.rejects(readAssets(root), /run 'deno task bundle:web' first/);
  await Deno.remove(root, { recursive: true });
});

Deno.test("a kind of file that is not known is handed out as plain bytes", () => {
  assert.equal(contentType("a.HTML"), "text/html; charset=utf-8");
  assert.equal(contentType("a.exe"), "application/octet-stream");
  assert.equal(contentType("constructor"), "application/octet-stream");
});
