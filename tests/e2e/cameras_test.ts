/**
 * What a person does with a live picture, in a real browser with a real RTSP camera: look at its
 * figures, keep a picture of it, record it, and see honestly when it is gone and that it came back.
 */
import assert from "node:assert/strict";
import { RtspServer, rtspServerLack } from "../contract/rtsp_camera.ts";
import { chromiumMissing, launchChromium } from "./browser.ts";
import { runPorthole, startPorthole } from "./processes.ts";
import { Shell } from "./shell.ts";

const lack = await chromiumMissing() ?? rtspServerLack();
if (lack !== undefined) {
  Deno.stderr.writeSync(new TextEncoder().encode(`cameras in the page are skipped: ${lack}\n`));
}

// Playwright keeps handles of its own until the process ends: sanitizers would count them.
const OPTIONS = { ignore: lack !== undefined, sanitizeOps: false, sanitizeResources: false };

Deno.test(
  "a live picture has figures, can be kept and recorded, and says when it is gone",
  OPTIONS,
  async (t) => {
    let camera = await RtspServer.start("--size", "640x360");
    const source = `yard=rtsp://127.0.0.1:${camera.port}/stream1`;
    await using demo = await startPorthole({
      args: ["demo", "--port", "0", "--json", "--camera", source],
    });
    await using browser = await launchChromium();
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    const { pair, state } = demo.ready as Record<string, string>;
    const shell = await Shell.open(context, pair!);
    await shell.state("live");
    const tile = shell.page.locator("figure.camera")
      .filter({ has: shell.page.getByTestId("camera-yard") });

    await t.step(
      "its corner tells latency and pictures a second, and all the rest when asked",
      async () => {
        await shell.moving("yard");
        const corner = tile.getByRole("button", { name: /^Figures of yard: \d+ ms · \d+ fps$/ });
        await corner.click();
        const figures = tile.locator("dl");
        await figures.getByText("H.264").waitFor();
        await figures.getByText("direct").waitFor();
        await figures.getByText("640 × 360").waitFor();
        await figures.getByText(/^\d+(\.\d)? [kM]bit\/s$/).waitFor();
        if (Deno.env.get("PORTHOLE_LOOK") !== undefined) {
          await shell.page.screenshot({ path: `${Deno.env.get("PORTHOLE_LOOK")}/cameras.png` });
        }
        await corner.click();
        await figures.waitFor({ state: "detached" });
      },
    );

    await t.step("a picture is saved as JPEG under the camera's name", async () => {
      const [download] = await Promise.all([
        shell.page.waitForEvent("download"),
        tile.getByRole("button", { name: "Save a picture of yard" }).click(),
      ]);
      assert.match(download.suggestedFilename(), /^yard \d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d\.jpg$/);
      const bytes = await Deno.readFile(await download.path());
      assert.deepEqual([...bytes.slice(0, 3)], [0xff, 0xd8, 0xff]);
    });

    await t.step("a recording is saved when it is stopped", async () => {
      await tile.getByRole("button", { name: "Record yard to a file" }).click();
      const stop = tile.getByRole("button", { name: "Stop recording yard and save it" });
      await stop.waitFor();
      assert.equal(await stop.getAttribute("aria-pressed"), "true");
      await shell.moving("yard", 20);
      const [download] = await Promise.all([shell.page.waitForEvent("download"), stop.click()]);
      assert.match(download.suggestedFilename(), /^yard .*\.(mp4|webm)$/);
      assert.ok((await Deno.stat(await download.path())).size > 1000);
      await tile.getByRole("button", { name: "Record yard to a file" }).waitFor();
    });

    await t.step("porthole snapshot saves one too, and says what a camera lacks", async () => {
      const file = `${state}/yard.jpg`;
      const taken = await runPorthole({
        args: ["snapshot", "yard", file, "--state", state!, "--json"],
      });
      assert.equal(taken.code, 0, taken.stderr);
      const bytes = await Deno.readFile(file);
      assert.deepEqual([...bytes.slice(0, 3)], [0xff, 0xd8, 0xff]);
      assert.deepEqual(JSON.parse(taken.stdout), { camera: "yard", file, bytes: bytes.length });
      const unknown = await runPorthole({ args: ["snapshot", "attic", file, "--state", state!] });
      assert.equal(unknown.code, 1);
      assert.match(unknown.stderr, /^porthole: Cannot open camera: no such id\n$/);
    });

    await t.step("a camera that is gone says since when, and comes back by itself", async () => {
      const { port } = camera;
      await camera.kill();
      await tile.getByText(/No picture since \d/).waitFor();
      if (Deno.env.get("PORTHOLE_LOOK") !== undefined) {
        await shell.page.screenshot({ path: `${Deno.env.get("PORTHOLE_LOOK")}/gone.png` });
      }
      camera = await RtspServer.start("--size", "640x360", "--port", String(port));
      await shell.moving("yard");
      await tile.getByText(/No picture since/).waitFor({ state: "detached" });
      assert.deepEqual(shell.problems, []);
    });
    await camera.kill();
  },
);
