/** What people read: one plain sentence per state, and for each failure what to do about it. Pure. */
import type { NetworkPath } from "../../src/lib/network_path.ts";
import type { CameraCode, Named } from "../../src/protocol/control.ts";
import type { CameraView } from "./cameras.ts";
import type { LostCode } from "./lost.ts";
import type { SessionState } from "./session.ts";

/** A failure: what is the case, and what a person can do. */
export interface Explanation {
  readonly what: string;
  readonly remedy: string;
}

/** What the session is doing, in one sentence. `name` is the device's; `explained` says why it is not connected. */
export function stateSentence(
  state: SessionState,
  name: string,
  explained: (code: LostCode) => Explanation = explain,
): string {
  switch (state.phase) {
    case "idle":
    case "finding":
      return `Looking for ${name}…`;
    case "offering":
      return `${name} is there. Asking it to connect…`;
    case "connecting":
      return "Finding a path between this browser and the device…";
    case "confirming":
      return `Checking that this really is ${name}…`;
    case "live":
      return state.interrupted
        ? `The network path to ${name} broke off. Looking for another one…`
        : "Connected";
    case "lost":
      return `${explained(state.code).what} Trying again by itself.`;
    case "closed":
      return explained(state.code).what;
  }
}

/** Which way packets go, in a few words; `hint` says what that means. */
export function pathWords({ kind, family, local }: NetworkPath): { short: string; hint: string } {
  const version = `IPv${family}`;
  if (kind === "relay") {
    const hint = `A relay carries everything over ${version}, and can read none of it`;
    return { short: "relayed", hint };
  }
  return local
    ? { short: "direct, same network", hint: `From here to the device over ${version}, at home` }
    : { short: "direct", hint: `From here to the device over ${version}, through no server` };
}

/** Why a connection ended and what to do. */
export function explain(code: LostCode): Explanation {
  return EXPLANATIONS[code];
}

/** Why pairing failed and what to do. `bad_link` is a link that cannot be read. */
export function explainPairing(code: LostCode | "bad_link"): Explanation {
  return code === "bad_link" ? BAD_LINK : PAIRING[code] ?? EXPLANATIONS[code];
}

/** Why nothing can be borrowed with an invite, and what to do. */
export function explainBorrowing(code: LostCode | "bad_link"): Explanation {
  return code === "bad_link" ? BAD_INVITE : BORROWING[code] ?? explainGuest(code);
}

/** Why the device is out of reach, for one who owns it or was lent it. */
export function explainFor(role: "owner" | "guest"): (code: LostCode) => Explanation {
  return role === "owner" ? explain : explainGuest;
}

/** Why a guest's session ended. Guests cannot look after the device: they can only ask. */
export function explainGuest(code: LostCode): Explanation {
  return GUEST[code] ?? EXPLANATIONS[code];
}

const AGAIN = "Run “porthole pair” on the device to get a new code, and scan that one.";

const BAD_LINK: Explanation = {
  what: "This pairing link is damaged or incomplete.",
  remedy: `Scan the code again, or copy the whole link. If that does not help: ${
    AGAIN.charAt(0).toLowerCase() + AGAIN.slice(1)
  }`,
};

const ASK_AGAIN = "Ask whoever sent it for a new one.";

const BAD_INVITE: Explanation = {
  what: "This link is damaged or incomplete.",
  remedy: `Copy the whole link, or scan the code again. If that does not help: ${
    ASK_AGAIN.charAt(0).toLowerCase() + ASK_AGAIN.slice(1)
  }`,
};

const BORROWING: Partial<Record<LostCode, Explanation>> = {
  grant_used: {
    what: "This link was used already.",
    remedy: `It lets in only as many browsers as it was made for, and this is not one of them. ` +
      `If you opened it in another browser before, use that one. Otherwise: ${
        ASK_AGAIN.charAt(0).toLowerCase() + ASK_AGAIN.slice(1)
      }`,
  },
  grant_expired: { what: "This link has expired.", remedy: ASK_AGAIN },
  grant_revoked: {
    what: "This link does not hold any more: an owner of the device has ended it.",
    remedy: ASK_AGAIN,
  },
  grant_invalid: { what: "The device does not accept this link.", remedy: ASK_AGAIN },
  not_paired: { what: "The device does not accept this link.", remedy: ASK_AGAIN },
};

const GUEST: Partial<Record<LostCode, Explanation>> = {
  absent: {
    what: "The device is offline.",
    remedy: "Nothing to do here: this page looks for it while you look at this page.",
  },
  no_path: {
    what: "No path to the device opens.",
    remedy:
      "One of the two networks blocks direct connections. Try another one, such as mobile data.",
  },
  not_paired: {
    what: "The device does not let this browser in any more.",
    remedy: "If you still need it, ask its owner for a new link.",
  },
  removed: {
    what: "Whoever lent you this is no longer an owner of the device.",
    remedy: "If you still need it, ask another owner for a new link.",
  },
  busy: {
    what: "The device has as many viewers as it can carry.",
    remedy: "Wait a little. This page keeps trying.",
  },
};

const PAIRING: Partial<Record<LostCode, Explanation>> = {
  claim_used: {
    what: "This pairing code was used already, by another browser.",
    remedy: `A code works once. ${AGAIN} If it was not you who used the first one, ` +
      "somebody else owns the device now: stop porthole on it, remove “porthole.db” from its state " +
      "folder, which forgets all owners, and pair again.",
  },
  claim_expired: {
    what: "This pairing code has expired.",
    remedy: `Codes are valid for ten minutes unless asked otherwise. ${AGAIN}`,
  },
  claim_wrong: {
    what: "The device does not accept this pairing code.",
    remedy: `It may be of an earlier installation, or the device restarted since. ${AGAIN}`,
  },
  absent: {
    what: "The device is offline.",
    remedy: "Check that it has power and network, and that “porthole run” is running. " +
      "This page keeps trying while you look at it.",
  },
};

const EXPLANATIONS: Record<LostCode, Explanation> = {
  rendezvous: {
    what: "This page cannot reach its own server.",
    remedy: "Check this computer's network connection.",
  },
  refused: {
    what: "The server asks for a pause.",
    remedy: "It gets too many requests from this network. Wait a minute.",
  },
  absent: {
    what: "The device is offline.",
    remedy: "Check that it has power and network, and that “porthole run” is running.",
  },
  forged: {
    what: "What answered is not your device.",
    remedy:
      "Nothing was sent to it. If this goes on, someone between you and the device interferes: " +
      "try another network, or look at the device's log.",
  },
  no_answer: {
    what: "The device does not answer.",
    remedy: "It may be overloaded or just starting. If this goes on, restart it.",
  },
  no_path: {
    what: "No path to the device opens.",
    remedy:
      "One of the two networks blocks direct connections, and no relay is configured or it does " +
      "not answer. Whoever runs the rendezvous can add one: --turn-url and --turn-secret-file.",
  },
  silent: {
    what: "The device stopped answering.",
    remedy: "Its network or this one may be interrupted.",
  },
  ended: { what: "The connection was closed.", remedy: "Nothing to do: it is being restored." },
  shutdown: {
    what: "The device is stopping or restarting.",
    remedy: "Nothing to do if it restarts.",
  },
  stale: {
    what: "The device has just restarted.",
    remedy: "Nothing to do: the connection is being restored.",
  },
  busy: {
    what: "The device has as many viewers as it can carry.",
    remedy: "Close porthole in other tabs and browsers.",
  },
  protocol: {
    what: "This page and the device do not understand each other.",
    remedy: "Reload this page; if that does not help, update porthole on the device.",
  },
  version: {
    what: "This page and the device run versions of porthole that do not fit together.",
    remedy: "Update porthole on the device, then reload this page.",
  },
  not_paired: {
    what: "The device does not know this browser, or no longer.",
    remedy: "Pair it again: run “porthole pair” on the device and scan the code with this browser.",
  },
  grant_invalid: {
    what: "The device does not accept what was lent to this browser.",
    remedy: "Ask its owner for a new link.",
  },
  grant_expired: {
    what: "The time for which this was lent is over.",
    remedy: "If you still need it, ask its owner for a new link.",
  },
  grant_revoked: {
    what: "An owner of the device has ended this before its time.",
    remedy: "If you still need it, ask for a new link.",
  },
  grant_used: {
    what: "The link was used already, by as many browsers as it was made for.",
    remedy: "Ask its owner for a new link.",
  },
  time_unknown: {
    what: "The device does not know the time yet, so it cannot tell whether this still holds.",
    remedy:
      "It has no clock of its own and has just started. This passes by itself once it has reached a " +
      "time server, or one of its owners has connected.",
  },
  removed: {
    what: "This browser is no longer an owner of the device.",
    remedy:
      "An owner removed it, or somebody at the device did. If that is a mistake, ask an owner to " +
      "add it again.",
  },
  kicked: {
    what: "An owner ended this session.",
    remedy: "Nothing else was taken away: you can connect again.",
  },
  claim_used: { what: "This pairing code was used already.", remedy: AGAIN },
  claim_expired: { what: "This pairing code has expired.", remedy: AGAIN },
  claim_wrong: { what: "The device does not accept this pairing code.", remedy: AGAIN },
  internal: {
    what: "Something in this page failed.",
    remedy: "Reload it. The browser's console says more.",
  },
};

/** What a camera is doing where it shows no live picture; undefined while all is well. */
export function cameraSentence(camera: Named, view: CameraView): Explanation | undefined {
  switch (view.state) {
    case "off":
    case "live":
      return undefined;
    case "starting":
      return { what: "Starting…", remedy: "" };
    case "parted":
      return { what: "Waiting for the connection…", remedy: "" };
    case "waiting":
      return {
        what: `No picture since ${clockTime(view.since)}.`,
        remedy: view.code === undefined
          ? "The device keeps trying."
          : `${cameraReason(camera, view.code)} The device keeps trying.`,
      };
    case "failed":
      return { what: "No picture.", remedy: cameraReason(camera, view.code ?? "broken") };
  }
}

function cameraReason({ id }: Named, code: CameraCode): string {
  switch (code) {
    case "unknown":
      return `The device has no camera “${id}”.`;
    case "unreachable":
      return "The device cannot reach the camera. Check its power, its cable and its address.";
    case "unauthorised":
      return "The camera refused the password stored on the device. " +
        `Fix “source” of camera “${id}” in “porthole.toml”.`;
    case "unsupported":
      return "This camera's video cannot be shown here. Set it to H.264 without B-frames.";
    case "broken":
      return "What the camera sends is not valid video. Restart the camera.";
    case "busy":
      return "The camera, or the device, serves as many viewers as it can.";
    case "ended":
      return "The camera ended its stream.";
  }
}

/** Hours, minutes and seconds of a time in milliseconds since 1970, as clocks here show them. */
export function clockTime(time: number): string {
  return new Date(time).toLocaleTimeString(undefined, {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
}

/** "just now", "5 minutes ago", "3 May 2026". */
export function sinceSentence(time: number, now: number): string {
  const minutes = Math.floor((now - time) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return minutes === 1 ? "1 minute ago" : `${minutes} minutes ago`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return hours === 1 ? "1 hour ago" : `${hours} hours ago`;
  const date = new Date(time);
  return date.toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" });
}
