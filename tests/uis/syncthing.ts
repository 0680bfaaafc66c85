/** Syncthing with a page and nothing to share, and what it says when asked directly. */
import type { Place, Program, ProgramPlan } from "./program.ts";

export const OTHER_NAME = "Gate of Anna";
const COMMAND = "/usr/bin/syncthing";
const KEY = "porthole-test-key";

function prepare({ folder, port }: Place) {
  const address = `127.0.0.1:${port}`;
  return Promise.resolve({
    command: COMMAND,
    args: [
      ...["serve", "--home", folder, "--gui-address", address, "--gui-apikey", KEY],
      ...[
        "--no-browser",
        "--no-default-folder",
        "--no-upgrade",
        "--no-restart",
        "--skip-port-probing",
      ],
    ],
    env: { HOME: folder, STNORESTART: "1" },
  });
}

export const PLAN: ProgramPlan = { needs: [COMMAND], prepare };

/** Whether one of its devices is called `OTHER_NAME`. */
export async function hasOtherName({ url }: Program): Promise<boolean> {
  const answer = await fetch(`${url}/rest/config/devices`, { headers: { "x-api-key": KEY } });
  return (await answer.json() as { name: string }[]).some(({ name }) => name === OTHER_NAME);
}
