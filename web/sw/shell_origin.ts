/** The shell's origin. The rendezvous writes it over this word in every file that it serves from the bundle. */
export const SHELL_ORIGIN = "__SHELL_ORIGIN__";
