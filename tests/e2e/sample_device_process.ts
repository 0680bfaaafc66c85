/** The sample device as a process of its own, for tests in which nothing may work only because it shares one. */
import { startSampleDevice } from "../../src/demo/sample_device.ts";
import { configureLog, createLog } from "../../src/lib/log_sink.ts";
import { readAssets } from "../../src/platform/assets.ts";
import { listenForStop } from "../../src/platform/runtime.ts";
import { demoSite } from "../../src/run_demo.ts";
import { printJson } from "../../src/terminal.ts";
import { ROOT } from "./checkout.ts";

configureLog({ level: "info", format: "json" });
const stop = listenForStop();
const device = await startSampleDevice({
  site: demoSite(await readAssets(ROOT)),
  log: createLog("demo"),
});
printJson({ port: device.port });
await new Promise((resolve) => stop.signal.addEventListener("abort", resolve));
await device.close();
stop.close();
