/** A link that lets somebody in, ready to be handed over: to scan, to copy, to share. */
import { useRef, useState } from "hono/jsx/dom";
import type { Child } from "hono/jsx/dom";
import type { JSX } from "hono/jsx/dom/jsx-runtime";
import { Glyph } from "./glyph.tsx";
import { QrCode } from "./qr_code.tsx";

/** `children`: what the link does, and until when. */
export function LinkCard(
  { url, title, children }: { url: string; title: string; children?: Child },
): JSX.Element {
  const field = useRef<HTMLInputElement>(null);
  const [said, say] = useState("");
  const copy = () => {
    copyText(url, field.current).then(
      () => say("Copied."),
      () => say("Marked: copy it with your keyboard or the context menu."),
    );
  };
  return (
    <section class="link-card" aria-label={title} data-testid="link-card">
      <QrCode text={url} label={`QR code: ${title}`} />
      <div class="link-side">
        <div class="link-words">{children}</div>
        <label class="field">
          <span>Link</span>
          <input
            ref={field}
            type="text"
            class="link-text"
            readonly
            value={url}
            data-testid="link"
            onFocus={() => field.current?.select()}
          />
        </label>
        <div class="link-actions">
          <button type="button" onClick={copy}>
            <Glyph name="copy" />Copy link
          </button>
          {canShare()
            ? (
              <button type="button" class="quiet" onClick={() => share(title, url)}>
                <Glyph name="share" />Share…
              </button>
            )
            : null}
          <span class="faint" role="status">{said}</span>
        </div>
      </div>
    </section>
  );
}

async function copyText(text: string, field: HTMLInputElement | null): Promise<void> {
  field?.select();
  await navigator.clipboard.writeText(text);
}

function canShare(): boolean {
  return typeof navigator.share === "function"; // not on Linux, nor on a page without https
}

function share(title: string, url: string): void {
  navigator.share({ title, url }).catch(() => {}); // given up by the person: nothing to say
}
