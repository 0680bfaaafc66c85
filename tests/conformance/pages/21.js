import { check, message, sleep } from "./harness.js";

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
const QUIET_MS = 3_000;

async function shown(path, name = path) {
  const heard = message(name);
  const frame = document.createElement("iframe");
  frame.src = path;
  document.body.append(frame);
  const seen = await Promise.race([heard, sleep(QUIET_MS).then(() => "nothing")]);
  frame.remove();
  return seen;
}

for (const path of PATHS) await check(path, () => shown(path));
await check("inline that is forbidden", () => shown("/blocked", "inline"));
await check("inline that is allowed", () => shown("/allowed", "inline"));
