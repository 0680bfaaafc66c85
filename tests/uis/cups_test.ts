/**
 * CUPS: old HTML whose administration refuses to be in a frame (the shell offers a tab of its own) and names no type, forms
 * over several pages. Not tried: its login, which is PAM's, and https, on which it does not insist on its own machine.
 */
import type { Page } from "playwright-core";
import { until } from "./people.ts";
import type { Place } from "./program.ts";
import { testUi } from "./ui_test_case.ts";

async function prepare({ folder, port }: Place) {
  for (const name of ["spool", "cache", "state", "server", "tmp"]) {
    await Deno.mkdir(`${folder}/${name}`);
  }
  await Deno.writeTextFile(
    `${folder}/cups-files.conf`,
    `FileDevice Yes
SystemGroup root
ServerRoot ${folder}/server
RequestRoot ${folder}/spool
CacheDir ${folder}/cache
StateDir ${folder}/state
TempDir ${folder}/tmp
ServerKeychain ${folder}/server/ssl
AccessLog ${folder}/access_log
ErrorLog ${folder}/error_log
PageLog ${folder}/page_log
`,
  );
  await Deno.writeTextFile(
    `${folder}/cupsd.conf`,
    `Listen 127.0.0.1:${port}
WebInterface Yes
DefaultAuthType Basic
LogLevel debug
Browsing No
<Location />
  Order allow,deny
  Allow all
</Location>
<Policy default>
  <Limit All>
    Order deny,allow
  </Limit>
</Policy>
`,
  );
  return {
    command: "/usr/sbin/cupsd",
    args: ["-f", "-c", `${folder}/cupsd.conf`, "-s", `${folder}/cups-files.conf`],
  };
}

async function addPrinter(tab: Page): Promise<void> {
  const next = () => tab.getByRole("button", { name: "Continue" }).click();
  await tab.getByRole("button", { name: "Add Printer" }).click();
  await tab.getByRole("radio", { name: "AppSocket/HP JetDirect" }).check();
  await next();
  await tab.locator("input[name=DEVICE_URI]").fill("socket://127.0.0.1:9");
  await next();
  await tab.locator("input[name=PRINTER_NAME]").fill("gate");
  await tab.locator("input[name=PRINTER_LOCATION]").fill("at the gate");
  await next();
  await tab.locator("select[name=PPD_MAKE]").selectOption("Raw");
  await next();
  await tab.locator("select[name=PPD_NAME]").selectOption({ index: 0 }); // the page before has the same button
  await tab.getByRole("button", { name: "Add Printer" }).click();
}

await testUi("cups", {
  sentence: "CUPS: a tab of its own, a printer that is added",
  plan: { needs: ["/usr/sbin/cupsd", "/usr/lib/cups/cgi-bin/admin.cgi"], prepare },
  async visit(stage, { url }) {
    const frame = await stage.open();
    await frame.getByRole("link", { name: "Administration" }).first().click();
    const offer = stage.shell.page.getByTestId("wants-tab").getByRole("button", {
      name: "Open in its own tab",
    });
    await offer.waitFor();
    await stage.picture("refused");
    const tab = await stage.openOwnTab(offer);
    await addPrinter(tab);
    const printers = async () => await (await fetch(`${url}/printers/`)).text();
    await until("the printer", async () => (await printers()).includes("at the gate"));
    await stage.picture("added", tab);
    await tab.getByRole("link", { name: "Printers" }).first().click();
    await tab.getByText("at the gate").waitFor();
    await tab.reload();
    await tab.getByText("at the gate").waitFor();
  },
});
