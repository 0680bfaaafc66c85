/** Where the admin socket of a state folder is. */
import { join } from "node:path";

/** `sun_path` has 108 bytes with its zero (unix(7)). */
export const MAX_SOCKET_PATH_BYTES = 107;

export function adminSocketPath(state: string): string {
  return join(state, "control.sock");
}
