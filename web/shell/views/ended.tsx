/** Access to a device is over, or an owner ended the session: why, and what a person can do. Instead of what was there. */
import type { JSX } from "hono/jsx/dom/jsx-runtime";
import type { Device } from "../devices.ts";
import { endsAccess, type LostCode, mayRetry } from "../lost.ts";
import type { SessionState } from "../session.ts";
import { explainFor } from "../words.ts";
import { Remedy } from "./notice.tsx";

/** The code of an end after which nothing of the device may stay on the page; undefined for all else. */
export function endOf(state: SessionState): LostCode | undefined {
  if (state.phase !== "closed") return undefined;
  return endsAccess(state.code) || mayRetry(state.code) ? state.code : undefined;
}

export function Ended(
  { device, code, retry, forget }: {
    device: Device;
    code: LostCode;
    retry: () => void;
    forget?: () => void;
  },
): JSX.Element {
  const { what, remedy } = explainFor(device.role)(code);
  return (
    <section class="empty ended" role="alert" data-testid="ended">
      <h2 data-testid="state">{what}</h2>
      <Remedy text={remedy} />
      <div class="link-actions">
        {mayRetry(code) ? <button type="button" onClick={retry}>Connect again</button> : null}
        {endsAccess(code) && forget !== undefined
          ? (
            <button type="button" class="quiet" onClick={forget}>
              Remove from this browser
            </button>
          )
          : null}
        <a class="button quiet" href="#/">Your devices</a>
      </div>
    </section>
  );
}
