import assert from "node:assert/strict";

Deno.test("a process that gave programs up starts none, though all was granted", async () => {
  const module = new URL("permissions.ts", import.meta.url).href;
  const program = `
    import { execFile } from "node:child_process";
    import { giveUpStartingPrograms } from ${JSON.stringify(module)};
    const start = () => new Promise((done) => {
      try { execFile("true", [], (error) => done(error === null)); } catch { done(false); }
    });
    const before = await start();
    await giveUpStartingPrograms();
    console.log(before, await start());`;
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(path, program);
  for (const rights of [["-A"], ["--allow-run", "--allow-env", "--allow-read"]]) {
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-config", "--no-prompt", ...rights, path],
    }).output();
    const said = new TextDecoder().decode(stdout).trim();
    assert.equal(said, "true false", new TextDecoder().decode(stderr));
  }
  await Deno.remove(path);
});
