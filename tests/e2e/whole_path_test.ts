/**
 * The whole path with real parts: `porthole demo` as a process of its own, a real RTSP camera with Digest, and Chromium.
 * One browser session over ONE RTCPeerConnection: page, events, WebSocket, upload, download and both cameras.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Frame } from "playwright-core";
import { RtspServer, rtspServerLack } from "../contract/rtsp_camera.ts";
import { chromiumMissing, launchChromium } from "./browser.ts";
import { inCheckout } from "./checkout.ts";
import { startPorthole } from "./processes.ts";
import { Shell } from "./shell.ts";

const PASSWORD = "p@ss:w/rd#1%";
const UPLOAD_BYTES = 5_000_000;
const lack = await chromiumMissing() ?? rtspServerLack();
if (lack !== undefined) {
  Deno.stderr.writeSync(new TextEncoder().encode(`whole path is skipped: ${lack}\n`));
}

// Playwright keeps handles of its own until the process ends: sanitizers would count them.
const OPTIONS = { ignore: lack !== undefined, sanitizeOps: false, sanitizeResources: false };

Deno.test(
  "a browser uses page, events, WebSocket, upload, download and two cameras over one connection",
  OPTIONS,
  async (t) => {
    const camera = await RtspServer.start("--user", "viewer", "--password", PASSWORD);
    const url = `rtsp://viewer:${encodeURIComponent(PASSWORD)}@127.0.0.1:${camera.port}/stream1`;
    await using demo = await startPorthole({
      args: ["demo", "--port", "0", "--json", "--camera", `gate=${url}`],
    });
    await using browser = await launchChromium();
    const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
    const { pair, device, services, cameras } = demo.ready as Record<string, string>;
    assert.deepEqual([services, cameras], [["ui"], ["test", "gate"]]);
    const shell = await Shell.open(context, pair!);
    let frame: Frame;

    await t.step("opening the link pairs the browser and forgets the link", async () => {
      await shell.state("live");
      await shell.waitForText("Connected");
      assert.ok(!shell.page.url().includes("pair="), shell.page.url());
    });

    await t.step("both cameras show moving pictures", async () => {
      assert.deepEqual(await shell.moving("test"), { width: 640, height: 360 });
      assert.deepEqual(await shell.moving("gate"), { width: 320, height: 240 });
    });

    await t.step(
      "the device's page opens beside the picture, with its style, script and images",
      async () => {
        frame = await shell.openService("ui");
        await frame.getByRole("heading", { name: "Workshop controller" }).waitFor();
        const loaded = await frame.evaluate(async () => {
          // deno-lint-ignore no-explicit-any -- browser types do not exist on this side
          const images = [...(globalThis as any).document.images];
          await Promise.all(images.map((image) =>
            // they come last, behind scripts and styles
            image.complete || new Promise((done) => image.onload = image.onerror = done)
          ));
          return images.map((image) => image.naturalWidth > 0);
        });
        assert.ok(loaded.length > 0 && loaded.every(Boolean), `images ${loaded}`);
        await shell.moving("test");
      },
    );

    await t.step("server-sent events arrive", async () => {
      await frame.getByText("live", { exact: true }).waitFor();
      await frame.getByText(/readings$/).waitFor();
    });

    await t.step("the WebSocket is open with its subprotocol and switches the lamp", async () => {
      await frame.getByText("connected (workshop.v1)").waitFor();
      await frame.locator("#lamp").check();
      await frame.locator("#lamp-state", { hasText: /^on$/ }).waitFor();
    });

    await t.step("an uploaded file arrives whole", async () => {
      const bytes = Buffer.from(new Uint8Array(UPLOAD_BYTES).map((_, index) => (index * 31) >> 3));
      const file = { name: "part.gcode", mimeType: "text/plain", buffer: bytes };
      await frame.locator("input[type=file]").setInputFiles(file);
      await frame.locator("#upload-form button").click();
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
      const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
      await frame.getByText(`part.gcode: ${UPLOAD_BYTES} bytes, SHA-256 ${hex}`).waitFor();
    });

    await t.step("the download arrives whole", async () => {
      await frame.locator("#digest-check").click();
      await frame.getByText(/20\d* bytes, SHA-256 matches/).waitFor();
    });

    await t.step(
      "all of it used one RTCPeerConnection, and nothing broke the content security policy",
      async () => {
        assert.equal(await shell.peerConnections(), 1);
        assert.deepEqual(shell.problems, []);
      },
    );

    await t.step("the picture for the README is made of this session", async () => {
      const path = Deno.env.get("PORTHOLE_SCREENSHOT") ?? inCheckout("tests/e2e/out/service.png");
      await Deno.mkdir(inCheckout("tests/e2e/out"), { recursive: true });
      await shell.page.screenshot({ path });
      assert.ok((await Deno.stat(path)).size > 20_000);
    });

    await t.step(
      "links inside the page are mirrored, and a reload shows the same page again",
      async () => {
        await frame.getByRole("link", { name: "Settings" }).click();
        await frame.getByRole("heading", { name: "Settings" }).waitFor();
        const deep = new RegExp(`#/d/${device}/s/ui/settings\\?tab=net$`);
        await shell.page.waitForURL(deep);
        await shell.page.reload();
        await shell.state("live");
        const again = await shell.serviceFrame();
        await again.getByRole("heading", { name: "Settings" }).waitFor();
        assert.match(shell.page.url(), deep);
      },
    );

    await t.step("a second tab opens the deep link in a session of its own", async () => {
      const second = await Shell.open(context, shell.page.url());
      await second.state("live");
      const settings = await second.serviceFrame();
      await settings.getByRole("heading", { name: "Settings" }).waitFor();
      await second.page.close();
      await shell.state("live");
    });

    await t.step(
      "two viewers watch the camera at once, and it returns to both after it was killed",
      async () => {
        const second = await Shell.open(context, `${demo.ready.shell}#/d/${device}`);
        await second.state("live");
        await second.moving("gate");
        await shell.page.goto(`${demo.ready.shell}#/d/${device}`);
        await shell.moving("gate");
        await camera.kill();
        await second.waitForText(/no picture since/i);
        const returned = await RtspServer.start(
          "--user",
          "viewer",
          "--password",
          PASSWORD,
          "--port",
          String(camera.port),
        );
        await Promise.all([second.moving("gate", 10), shell.moving("gate", 10)]);
        await second.page.close();
        await returned.kill();
      },
    );

    await t.step("the program ends cleanly, and no password is in its log", async () => {
      const { code, killed } = await demo.stop();
      assert.deepEqual({ code, killed }, { code: 0, killed: false });
      const log = demo.child.stderr;
      for (const secret of [PASSWORD, encodeURIComponent(PASSWORD), pair!.split("pair=")[1]!]) {
        assert.ok(!log.includes(secret), "a secret is in the log");
      }
    });
  },
);
