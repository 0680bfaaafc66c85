/**
 * Syncthing: its guards against other sites (the Host that it knows, a CSRF cookie whose name depends on the device and
 * which its page sends back as a header), a log of events by long polling, and a name that is changed.
 */
import { until } from "./people.ts";
import { hasOtherName, OTHER_NAME, PLAN } from "./syncthing.ts";
import { testUi } from "./ui_test_case.ts";

await testUi("syncthing", {
  sentence: "Syncthing: a device gets another name, and its page follows the events",
  plan: PLAN,
  async visit(stage, program) {
    let frame = await stage.open();
    await frame.getByText("This Device").first().waitFor();
    await frame.locator("#ur .btn-danger").click(); // whether it may report usage: no; it asks once
    await stage.picture("opened");
    await frame.getByRole("link", { name: "Actions" }).first().click();
    await frame.getByRole("link", { name: "Settings" }).first().click();
    await frame.locator("#DeviceName").fill(OTHER_NAME);
    await frame.locator("#settings").getByRole("button", { name: "Save" }).click();
    await until("the new name", () => hasOtherName(program));
    await frame.getByText(OTHER_NAME).first().waitFor();
    await stage.picture("renamed");
    frame = await stage.reload();
    await frame.getByText(OTHER_NAME).first().waitFor();
  },
});
