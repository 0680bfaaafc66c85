/**
 * The events of `xhr.upload` while a body leaves (XMLHttpRequest 4.5.6). Where a service worker answers, browsers tell only
 * of the beginning, which knows the length; Firefox tells of the end as well, with the answer. Left out: in Chromium a
 * request that is aborted when all of its body has left gets `abort` and `loadend` after its `load`.
 */
import { IS_FIREFOX } from "./engine.ts";

/** As much of XMLHttpRequest as is used. */
export interface Uploading {
  readonly upload: EventTarget;
}

/** The events of one upload. Make it before `send`. */
export class UploadEvents {
  readonly #upload: EventTarget;
  readonly #tellsEnd: boolean;
  #total: number | undefined;
  #loaded = 0;
  #state: "sending" | "sent" = "sending";

  constructor({ upload }: Uploading, { browserTellsEnd = IS_FIREFOX } = {}) {
    this.#upload = upload;
    this.#tellsEnd = !browserTellsEnd;
    upload.addEventListener("loadstart", (event) => {
      if (event instanceof ProgressEvent && event.lengthComputable) this.#total = event.total;
    }, { once: true });
  }

  /** So many bytes have left; `done` with the last. */
  sent(bytes: number, done: boolean): void {
    if (this.#state === "sent") return;
    if (bytes > this.#loaded || done) {
      this.#loaded = bytes;
      this.#tell("progress");
    }
    if (done) this.#end();
  }

  /** The answer has begun: it may overtake the word that all has left. */
  answered(): void {
    if (this.#state === "sent") return;
    if (this.#total !== undefined && this.#loaded < this.#total) {
      this.#loaded = this.#total;
      this.#tell("progress");
    }
    this.#end();
  }

  #end(): void {
    this.#state = "sent";
    if (!this.#tellsEnd) return;
    this.#tell("load");
    this.#tell("loadend");
  }

  #tell(type: string): void {
    const total = this.#total ?? 0;
    const lengthComputable = this.#total !== undefined;
    const loaded = lengthComputable ? Math.min(this.#loaded, total) : this.#loaded;
    this.#upload.dispatchEvent(new ProgressEvent(type, { lengthComputable, loaded, total }));
  }
}
