/**
 * Runs first in every page and every worker of a device: WebSockets and cookies go through the tunnel, and so does what a
 * service worker is not shown. Entry file; one for both, so that one file is kept at hand.
 *
 *   page    put in front of its HTML (web/sw/inject_html.ts)         -> page.ts
 *   worker  put in front of its script (web/sw/worker_script.ts), or by `workers.ts` for one that the page made itself
 *                                                                   -> worker_scope.ts
 *   worker of our own, for a page's synchronous requests            -> sync_worker.ts
 */
import { installInPage } from "./page.ts";
import { SYNC_WORKER_NAME } from "./sync_channel.ts";
import { serveSyncRequests } from "./sync_worker.ts";
import { installInWorker } from "./worker_scope.ts";

if (typeof document !== "undefined") installInPage();
else if (self.name === SYNC_WORKER_NAME) serveSyncRequests();
else installInWorker();
