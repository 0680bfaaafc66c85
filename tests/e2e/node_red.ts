/** Node-RED, an unmodified device UI with pages, a WebSocket and uploads, installed from npm once and run on a free port. */
import { Child } from "./child.ts";
import { nodeExecutable, npmInstalled } from "./checkout.ts";
import { freePort } from "./free_port.ts";

const NODE_RED = "node-red@5.0.7";
/** First start on a loaded machine with two cores: it writes its settings and loads all nodes. */
const READY_LIMIT_MS = 120_000;
const POLL_MS = 200;
const POLL_LIMIT_MS = 5_000;
/** Between choosing a port and Node-RED's binding it somebody else may take it: then another is chosen. */
const PORT_TRIES = 3;

/** A running Node-RED. */
export interface NodeRed extends AsyncDisposable {
  /** Of its editor, such as "http://127.0.0.1:1880". */
  readonly url: string;
  readonly child: Child;
  stop(): Promise<void>;
}

/** Starts a Node-RED with an empty folder of its own and waits until its editor answers. */
export async function startNodeRed(options: { readonly netns?: string } = {}): Promise<NodeRed> {
  const modules = await npmInstalled("node-red", NODE_RED);
  const node = await nodeExecutable("24.21.0");
  for (let attempt = 1;; attempt++) {
    try {
      return await startOnce({ node, script: `${modules}/node-red/red.js`, netns: options.netns });
    } catch (error) {
      if (attempt === PORT_TRIES) throw error;
    }
  }
}

async function startOnce(
  { node, script, netns }: { node: string; script: string; netns: string | undefined },
): Promise<NodeRed> {
  const folder = await Deno.makeTempDir({ prefix: "node-red-" });
  const port = freePort();
  const settings = `${folder}/settings.js`;
  await Deno.writeTextFile(settings, settingsText(port));
  const child = Child.start({
    command: node,
    args: [script, "--userDir", folder, "--settings", settings],
    netns,
    env: { NO_COLOR: "1", NODE_RED_DISABLE_TELEMETRY: "true", NO_UPDATE_NOTIFIER: "1" },
  });
  const stop = async () => {
    await child.stop();
    await Deno.remove(folder, { recursive: true });
  };
  try {
    await child.find(({ stdout }) => /Server now running at/.exec(stdout)?.[0], {
      what: "editor",
      limitMs: READY_LIMIT_MS,
    });
    const url = `http://127.0.0.1:${port}`;
    if (netns === undefined) await answering(url);
    return { url, child, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Nothing that would go out to the network or ask a person. */
function settingsText(port: number): string {
  return `module.exports = {
  uiPort: ${port},
  uiHost: "127.0.0.1",
  flowFile: "flows.json",
  credentialSecret: false,
  telemetry: { enabled: false, updateNotification: false },
  editorTheme: { tours: false, projects: { enabled: false }, palette: { catalogues: [] } },
  externalModules: { autoInstall: false, palette: { allowInstall: false } },
  logging: { console: { level: "info", metrics: false, audit: false } },
};
`;
}

async function answering(url: string): Promise<void> {
  const end = performance.now() + READY_LIMIT_MS;
  for (;;) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(POLL_LIMIT_MS) });
      const page = await response.text();
      if (response.ok && page.includes("Node-RED")) return;
    } catch (cause) {
      if (performance.now() > end) throw new Error(`Cannot reach Node-RED at ${url}`, { cause });
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
