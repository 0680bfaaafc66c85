import { check, message, orNothing } from "./harness.js";

const PATHS = [
  "/self",
  "/nonce",
  "/hash",
  "/strict-dynamic",
  "/meta",
  "/two",
  "/sameorigin",
  "/hsts",
  "/isolated",
  "/deny",
  "/none",
];
/** What stays silent beside the device too. */
const SILENT = ["/deny", "/none", "/blocked"];
const QUIET_MS = 3_000;

async function shown(path, name = path) {
  const heard = message(name);
  const frame = document.createElement("iframe");
  frame.src = path;
  document.body.append(frame);
  const seen = await orNothing(heard, SILENT.includes(path) ? QUIET_MS : undefined);
  frame.remove();
  return seen;
}

for (const path of PATHS) await check(path, () => shown(path));
await check("inline that is forbidden", () => shown("/blocked", "inline"));
await check("inline that is allowed", () => shown("/allowed", "inline"));
