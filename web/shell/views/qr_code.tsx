/** A QR code as one path: the strict CSP leaves no room for styles in the markup, and it stays sharp at any size. */
import type { JSX } from "hono/jsx/dom/jsx-runtime";
import encodeQr from "qr";

const QUIET_MODULES = 4; // the light margin that readers need (ISO/IEC 18004 9.1)

/** `label`: what it leads to, for those who do not see it. Dark on light in both schemes, as cameras want it. */
export function QrCode({ text, label }: { text: string; label: string }): JSX.Element {
  const rows = encodeQr(text, "raw", { ecc: "low", border: QUIET_MODULES });
  return (
    <svg class="qr" viewBox={`0 0 ${rows.length} ${rows.length}`} role="img" aria-label={label}>
      <path d={rows.map(rowPath).join("")} />
    </svg>
  );
}

/** Runs of dark modules, each as one rectangle. */
function rowPath(row: readonly boolean[], y: number): string {
  let path = "";
  for (let x = 0; x < row.length; x++) {
    if (!row[x]) continue;
    const start = x;
    while (row[x + 1]) x++;
    const width = x + 1 - start;
    path += `M${start} ${y}h${width}v1h-${width}z`;
  }
  return path;
}
