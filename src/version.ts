/** The version of this program; CHANGELOG.md says what each one brought. */
export const VERSION = "0.1.0";

/**
 * How the program came here: from a checkout; as the module that needs a runtime beside it; in one file with Deno, by
 * `deno compile` or by our own method (cross/single_file); in one file with Node (a "single executable application").
 */
export type Packaged = "source" | "bundle" | "compile" | "single-file" | "sea";

/** What an artefact knows of its making. */
export interface Build {
  readonly packaged: Packaged;
  /** Absent where it was made outside a repository. */
  readonly commit?: string;
  /** Unix seconds of the commit: it is later than this wherever the program runs. */
  readonly builtAt?: number;
}
