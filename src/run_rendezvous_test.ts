import assert from "node:assert/strict";
import type { Log } from "./lib/log.ts";
import { warnOfSharedSite } from "./run_rendezvous.ts";

function warnings(shell: string, content: string): string[] {
  const lines: string[] = [];
  const nothing = () => {};
  const log: Log = {
    debug: nothing,
    info: nothing,
    warn: (event) => void lines.push(event),
    error: nothing,
  };
  warnOfSharedSite({ shell, content }, log);
  return lines;
}

Deno.test("a rendezvous says once that device pages share the shell's site, but not on one's own machine", () => {
  const shared = ["https://meet.example.org", "https://*.meet.example.org"] as const;
  assert.deepEqual(warnings(...shared), ["rendezvous.site_shared"]);
  assert.deepEqual(warnings("https://meet.example.org", "https://*.content.example"), []);
  assert.deepEqual(warnings("http://porthole.localhost:1", "http://*.porthole.localhost:1"), []);
});
