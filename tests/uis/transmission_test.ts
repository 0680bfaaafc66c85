/**
 * Transmission's own web client: Basic auth before all, a session id against forged requests that it asks for with 409,
 * a file that is uploaded, a setting that is changed.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Frame } from "playwright-core";
import { signIn, until } from "./people.ts";
import { hasOtherFolder, OTHER_FOLDER, PASSWORD, PLAN, rpc, USER } from "./transmission.ts";
import { testUi } from "./ui_test_case.ts";

/** A torrent of one small file, as its format has it (BEP 3). */
const TORRENT = Buffer.concat([
  Buffer.from("d4:infod6:lengthi5e4:name14:hello-gate.txt"),
  Buffer.from("12:piece lengthi16384e6:pieces20:"),
  Buffer.alloc(20, 7),
  Buffer.from("ee"),
]);

async function addTorrent(frame: Frame): Promise<void> {
  await frame.locator("#toolbar-open").click();
  const file = { name: "gate.torrent", mimeType: "application/x-bittorrent", buffer: TORRENT };
  await frame.locator("#torrent_upload_file").setInputFiles(file);
  await frame.locator("#upload_confirm_button").click();
  await frame.getByText("hello-gate.txt").first().waitFor();
}

await testUi("transmission", {
  sentence: "Transmission: a login, a torrent that is added, a setting that is changed",
  plan: PLAN,
  async visit(stage, program) {
    let frame = await stage.open();
    await signIn(frame, { user: USER, password: PASSWORD });
    await frame.locator("#toolbar-open").waitFor();
    await addTorrent(frame);
    await stage.picture("added");
    const { torrents } = await rpc(program, { method: "torrent-get", fields: ["name"] });
    assert.deepEqual(torrents, [{ name: "hello-gate.txt" }]);

    await frame.locator("#prefs-button").click();
    await stage.picture("preferences");
    const name = frame.locator("#download-dir");
    await name.fill(OTHER_FOLDER);
    await name.press("Tab");
    await until("the new folder", () => hasOtherFolder(program));

    frame = await stage.reload();
    await frame.getByText("hello-gate.txt").first().waitFor();
    await stage.picture("reloaded");
  },
});
