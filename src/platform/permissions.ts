/** Rights of this process that a runtime grants: Deno's permissions. Node has none worth the name, so nothing happens there. */

/** Gives up the right to start programs, until the process ends. */
export async function giveUpStartingPrograms(): Promise<void> {
  if (typeof Deno === "object") await Deno.permissions.revoke({ name: "run" });
}
