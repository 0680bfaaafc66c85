/**
 * Takes secrets out of text that a person or a log will see. A last line of defence: what builds a message leaves them
 * out itself. Rather hides too much than too little.
 */

/** Shorter runs are ids (26 characters at most) and words; a 32-byte key in base64url has 43 characters, in hex 64. */
const LONGEST_ID = 39;
const LONG_RUN = new RegExp(`[A-Za-z0-9+_-]{${LONGEST_ID + 1},}=*`, "g");
const SECRET_PARAMETER = /\b(pass(?:word|wd)?|pwd|secret|token|key|auth|credential)=[^&\s"']+/gi;

/** The text without user names and passwords of URLs, secret parameters, and runs that may be keys or tokens. */
export function redact(text: string): string {
  return text
    .replace(/\S+/g, hideUserInfo)
    .replace(SECRET_PARAMETER, "$1=***")
    .replace(LONG_RUN, "***");
}

/**
 * Hides from "://" to the last "@" of a word: a password typed with a raw "/" or "@" in it is hidden whole. No regular
 * expression for this, as the text may be a stranger's and long: the two look-ups are linear.
 */
function hideUserInfo(word: string): string {
  const scheme = word.indexOf("://");
  const at = word.lastIndexOf("@");
  return scheme >= 0 && at > scheme ? `${word.slice(0, scheme)}://***${word.slice(at)}` : word;
}
