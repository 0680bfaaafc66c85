/** The version of this program; CHANGELOG.md says what each one brought. */
export const VERSION = "0.1.0";
