/**
 * noVNC and websockify before a real X server: a desktop over one binary WebSocket. A password is asked for, keys that are
 * typed arrive in a terminal, and the picture changes.
 */
import assert from "node:assert/strict";
import type { Frame } from "playwright-core";
import { until } from "./people.ts";
import { freePort } from "../e2e/free_port.ts";
import type { Place } from "./program.ts";
import { testUi } from "./ui_test_case.ts";

/** What Xtigervnc keeps of the word "password": DES with the key that all of VNC has. */
const PASSWORD = "password";
const PASSWORD_FILE = new Uint8Array([0xdb, 0xd8, 0x3c, 0xfd, 0x72, 0x7a, 0x14, 0x58]);
const LINE = "the gate is open";
const NEEDS = [
  "/usr/bin/Xtigervnc",
  "/usr/bin/websockify",
  "/usr/bin/xterm",
  "/usr/share/novnc/vnc.html",
];
/** X servers of people and other tests have low numbers. */
const LEAST_DISPLAY = 100;
const DISPLAYS = 20_000;

async function prepare({ folder, port }: Place) {
  const display = `:${LEAST_DISPLAY + port % DISPLAYS}`;
  const vnc = freePort();
  await Deno.writeFile(`${folder}/password`, PASSWORD_FILE, { mode: 0o600 });
  const script = `trap 'kill $all; wait; exit 0' TERM
Xtigervnc ${display} -geometry 640x400 -rfbport ${vnc} -localhost -PasswordFile ${folder}/password &
all=$!
websockify --web /usr/share/novnc 127.0.0.1:${port} 127.0.0.1:${vnc} &
all="$all $!"
for try in $(seq 100); do [ -S /tmp/.X11-unix/X${display.slice(1)} ] && break; sleep 0.1; done
DISPLAY=${display} xterm -geometry 100x30+0+0 -e sh -c 'read line; echo "$line" > ${folder}/typed; sleep 3600' &
all="$all $!"
wait
`;
  await Deno.writeTextFile(`${folder}/start.sh`, script);
  return { command: "sh", args: [`${folder}/start.sh`], env: { HOME: folder } };
}

async function connect(frame: Frame): Promise<void> {
  await frame.locator("#noVNC_connect_button").click();
  await frame.locator("#noVNC_password_input").fill(PASSWORD);
  await frame.locator("#noVNC_credentials_button, #noVNC_password_button").first().click();
  await frame.locator("#noVNC_container canvas").waitFor();
}

/** A sum over the pixels of the desktop; 0 while it is black. */
async function picture(frame: Frame): Promise<number> {
  return await frame.locator("#noVNC_container canvas").evaluate((element) => {
    // deno-lint-ignore no-explicit-any -- browser types do not exist on this side
    const canvas = element as any;
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let sum = 0;
    for (let i = 0; i < data.length; i++) {
      if (i % 4 !== 3) sum = (sum * 31 + data[i]) % 1_000_000_007;
    }
    return sum;
  });
}

await testUi("novnc", {
  sentence: "noVNC: a password, a desktop, keys that arrive in it",
  plan: { needs: NEEDS, prepare, readyPath: "/vnc.html" },
  async visit(stage, { folder }) {
    let frame = await stage.open("/vnc.html");
    await connect(frame);
    await until("a desktop with a terminal", async () => await picture(frame) !== 0);
    const { page } = stage.shell;
    await frame.locator("#noVNC_container canvas").click({ position: { x: 200, y: 100 } });
    const before = await picture(frame);
    await page.keyboard.type(LINE, { delay: 20 });
    await until("another picture", async () => await picture(frame) !== before);
    await stage.picture("typed");
    await page.keyboard.press("Enter");
    const typed = () => Deno.readTextFile(`${folder}/typed`).catch(() => "");
    await until("the line", async () => await typed() !== "");
    assert.equal((await typed()).trim(), LINE);

    frame = await stage.reload();
    await connect(frame);
    await until("the desktop again", async () => await picture(frame) !== 0);
    await stage.picture("reloaded");
  },
});
