/** shellinabox: a terminal without WebSockets, by long polling, out of a page that writes itself. */
import { until } from "./people.ts";
import type { Place } from "./program.ts";
import { testUi } from "./ui_test_case.ts";

const COMMAND = "/usr/bin/shellinaboxd";

async function prepare({ folder, port }: Place) {
  await Deno.chmod(folder, 0o777); // its shell belongs to nobody
  const args = ["--disable-ssl", "--localhost-only", "--port", `${port}`, "--no-beep"];
  return { command: COMMAND, args: [...args, "--service", `/:nobody:nogroup:${folder}:/bin/sh`] };
}

await testUi("shellinabox", {
  sentence: "shellinabox: a command in its terminal",
  plan: { needs: [COMMAND], prepare },
  async visit(stage, { folder }) {
    const made = () => Deno.readTextFile(`${folder}/made`).catch(() => "");
    let frame = await stage.open();
    await frame.getByText("$").first().waitFor(); // what is typed before is lost, beside the device as well
    await frame.locator("#vt100").click();
    await stage.shell.page.keyboard.type(`echo gate > made; echo op''ened\n`, { delay: 20 });
    await until("the file", async () => await made() === "gate\n");
    await frame.getByText("opened").first().waitFor();
    await stage.picture("typed");
    frame = await stage.reload();
    await frame.locator("#vt100").waitFor();
  },
});
