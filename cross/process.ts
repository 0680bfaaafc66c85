/** Runs the programs that artefacts are made with. */

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Gives what the program printed on stdout. Throws an Error with what it said on stderr if it fails. */
export async function run(
  command: string,
  args: readonly string[],
  { cwd, env }: RunOptions = {},
): Promise<string> {
  const options: Deno.CommandOptions = {
    args: [...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...cwd !== undefined && { cwd },
    ...env !== undefined && { env },
  };
  const { success, code, stdout, stderr } = await new Deno.Command(command, options).output()
    .catch((cause) => {
      throw new Error(
        `Cannot run '${command}': ${cause.message}; 'make setup-cross' installs what is missing`,
        { cause },
      );
    });
  if (success) return new TextDecoder().decode(stdout);
  const said = new TextDecoder().decode(stderr).trim();
  throw new Error(`Cannot run '${command} ${args[0] ?? ""}': it failed with ${code}\n${said}`);
}

/** One line of progress, on stderr: stdout is for what scripts read. */
export async function say(text: string): Promise<void> {
  await Deno.stderr.write(new TextEncoder().encode(`${text}\n`));
}
