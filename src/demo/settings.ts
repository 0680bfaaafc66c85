import type { IncomingMessage, ServerResponse } from "node:http";
import { sendText } from "./reply.ts";

/** Bytes of a settings form. Ours has less than 300. */
const FORM_LIMIT_BYTES = 4096;
const VALUE_LIMIT_CHARACTERS = 64;

/** What the settings page edits. Nothing is done with it. */
export class Settings {
  readonly #values = new Map([
    ["name", "Workshop"],
    ["hostname", "workshop"],
    ["ntp", "pool.ntp.org"],
  ]);

  get values(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#values);
  }

  /** Takes a form and sends the browser back to its tab. */
  async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = "";
    for await (const chunk of request) {
      text += chunk;
      if (text.length > FORM_LIMIT_BYTES) return sendText(response, 413, "Too large\n");
    }
    const form = new URLSearchParams(text);
    for (const name of this.#values.keys()) {
      const value = form.get(name);
      if (value !== null) this.#values.set(name, value.slice(0, VALUE_LIMIT_CHARACTERS));
    }
    const tab = form.get("tab") === "net" ? "net" : "general";
    response.writeHead(303, { Location: `/settings?tab=${tab}&saved=1`, "Content-Length": 0 })
      .end();
  }
}
