/**
 * Cockpit: checks Host and Origin of its WebSocket, has a strict policy, one frame per module, and a terminal in one of
 * them. Without its own login (that is PAM's, of this machine): cockpit-ws has a session of its own.
 */
import { until } from "./people.ts";
import type { Place } from "./program.ts";
import { testUi } from "./ui_test_case.ts";

const COMMAND = "/usr/lib/cockpit/cockpit-ws";

function prepare({ folder, port }: Place) {
  const args = ["--no-tls", "--port", `${port}`, "--address", "127.0.0.1"];
  return Promise.resolve({
    command: COMMAND,
    args: [...args, "--local-session=cockpit-bridge"],
    env: { HOME: folder, SHELL: "/bin/sh" },
  });
}

await testUi("cockpit", {
  sentence: "Cockpit: its modules in their frames, a command in its terminal",
  plan: { needs: [COMMAND, "/usr/bin/cockpit-bridge", "/usr/share/cockpit/systemd"], prepare },
  async visit(stage, { folder }) {
    let frame = await stage.open("/system/terminal");
    const terminal = frame.frameLocator("iframe[name='cockpit1:localhost/system/terminal']");
    await terminal.locator(".xterm, .terminal").first().click();
    const { page } = stage.shell;
    await until("a file that the terminal made", async () => {
      await page.keyboard.type(`echo gate > ${folder}/made\n`);
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return await Deno.readTextFile(`${folder}/made`).catch(() => "") === "gate\n";
    });
    await stage.picture("terminal");
    frame = await stage.reload();
    await frame.getByRole("link", { name: "Logs" }).first().click();
    await frame.frameLocator("iframe[name='cockpit1:localhost/system/logs']").locator("body")
      .waitFor();
    await stage.picture("logs");
  },
});
