import { all, once, text } from "./harness.js";

const source = (await text("/worker.js")).replaceAll(
  "self.origin",
  JSON.stringify(location.origin),
);
const blob = (code) => URL.createObjectURL(new Blob([code], { type: "text/javascript" }));

async function heard(worker) {
  const port = worker.port ?? worker;
  port.start?.();
  const failed = once(worker, "error").then(({ message }) => `error ${message ? "" : "silent"}`);
  return await Promise.race([once(port, "message").then(({ data }) => data), failed]);
}

await all({
  "dedicated": () => heard(new Worker("/worker.js")),
  "importing": () => heard(new Worker("/importing.js")),
  "module": () => heard(new Worker("/module.js", { type: "module" })),
  "shared": () => heard(new SharedWorker("/worker.js")),
  "shared module": () => heard(new SharedWorker("/module.js", { type: "module", name: "m" })),
  "blob": () => heard(new Worker(blob(source))),
  "blob module": () => heard(new Worker(blob(source), { type: "module" })),
  "blob shared": () => heard(new SharedWorker(blob(source))),
  "missing": () => heard(new Worker("/nothing.js")),
});
