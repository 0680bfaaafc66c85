/**
 * What a browser does not tell a service worker, or hears from one: that a page gave up a request before its answer, and
 * how far an upload is. `fetch` and XMLHttpRequest number their requests in a header and say when they gave one up; the
 * service worker says what left (web/sw/page_requests.ts), and here that becomes the events of `xhr.upload`.
 */
import { isRecord, type SentNews, type ToWorker } from "../sw/port_messages.ts";
import { NUMBER_HEADER } from "../sw/page_requests.ts";
import { UploadEvents } from "./upload_events.ts";

/** Call once in a page, before its scripts. `ownWorker` gives the service worker. */
export function numberRequests(
  container: ServiceWorkerContainer,
  ownWorker: () => Promise<ServiceWorker | null>,
): void {
  const numbers = new Numbers((message) => {
    ownWorker().then((worker) => worker?.postMessage(message)).catch(() => {}); // its beat finds out
  });
  numberFetch(numbers);
  numberXhr(numbers);
  container.addEventListener("message", (event) => {
    const news = readNews(event.data);
    if (news === undefined) return;
    event.stopImmediatePropagation(); // the page has no service worker, so it expects none to speak
    numbers.told(news);
  });
}

/** The requests that are under way. */
class Numbers {
  readonly #post: (message: ToWorker) => void;
  readonly #uploads = new Map<number, UploadEvents>();
  #last = 0;

  constructor(post: (message: ToWorker) => void) {
    this.#post = post;
  }

  next(): number {
    return ++this.#last;
  }

  watchUpload(number: number, events: UploadEvents): void {
    this.#uploads.set(number, events);
  }

  /** It was answered, or failed. */
  over(number: number): void {
    this.#uploads.delete(number);
  }

  giveUp(number: number): void {
    this.over(number);
    this.#post({ porthole: "give-up", number });
  }

  told({ number, bytes, done }: SentNews): void {
    this.#uploads.get(number)?.sent(bytes, done);
  }
}

/** Only what has a signal can be given up, and only what may change something must not be sent twice. */
function numberFetch(numbers: Numbers): void {
  const value = new Proxy(globalThis.fetch, {
    apply(target, self, values: Parameters<typeof fetch>) {
      const request = numberedRequest(values);
      if (request === undefined) return Reflect.apply(target, self, values);
      const number = numbers.next();
      request.headers.set(NUMBER_HEADER, String(number)); // without effect on a request of mode "no-cors"
      const giveUp = () => numbers.giveUp(number);
      request.signal.addEventListener("abort", giveUp);
      const answer: Promise<Response> = Reflect.apply(target, self, [request]);
      const settled = () => request.signal.removeEventListener("abort", giveUp);
      answer.then(settled, settled);
      return answer;
    },
  });
  Object.defineProperty(globalThis, "fetch", { value, configurable: true, writable: true });
}

/** A malformed request is left to the browser. */
function numberedRequest([input, init]: Parameters<typeof fetch>): Request | undefined {
  const isRequest = input instanceof Request;
  const matters = isRequest || init?.signal || !/^(?:GET|HEAD)$/i.test(init?.method ?? "GET");
  if (!matters || !isOwn(isRequest ? input.url : String(input))) return undefined;
  try {
    const request = new Request(input, init);
    return request.signal.aborted ? undefined : request;
  } catch {
    return undefined;
  }
}

function numberXhr(numbers: Numbers): void {
  const { open, send, setRequestHeader } = XMLHttpRequest.prototype;
  const own = new WeakSet<XMLHttpRequest>();
  const running = new WeakMap<XMLHttpRequest, number>();
  const giveUp = (xhr: XMLHttpRequest) => {
    const number = running.get(xhr);
    running.delete(xhr);
    if (number !== undefined) numbers.giveUp(number);
  };
  XMLHttpRequest.prototype.open = new Proxy(open, {
    apply(target, self: XMLHttpRequest, values: unknown[]) {
      giveUp(self); // to open is to abort what is under way (XMLHttpRequest 4.5.1)
      const result = Reflect.apply(target, self, values);
      const isAsync = values.length < 3 || Boolean(values[2]);
      if (isAsync && isOwn(String(values[1]))) own.add(self);
      else own.delete(self);
      return result;
    },
  });
  XMLHttpRequest.prototype.send = new Proxy(send, {
    apply(target, self: XMLHttpRequest, values: unknown[]) {
      if (!own.has(self) || self.readyState !== XMLHttpRequest.OPENED) {
        return Reflect.apply(target, self, values);
      }
      const number = numbers.next();
      setRequestHeader.call(self, NUMBER_HEADER, String(number));
      const hasBody = values[0] !== undefined && values[0] !== null;
      const events = hasBody ? new UploadEvents(self) : undefined;
      if (events !== undefined) numbers.watchUpload(number, events);
      running.set(self, number);
      const changed = () => {
        if (self.readyState < XMLHttpRequest.HEADERS_RECEIVED) return;
        self.removeEventListener("readystatechange", changed);
        if (running.get(self) !== number) return; // opened anew
        if (self.status === 0) return giveUp(self); // aborted, or too late
        running.delete(self);
        numbers.over(number);
        events?.answered();
      };
      self.addEventListener("readystatechange", changed);
      return Reflect.apply(target, self, values);
    },
  });
}

function readNews(value: unknown): SentNews | undefined {
  if (!isRecord(value) || value.porthole !== "sent") return undefined;
  const { number, bytes, done } = value;
  if (typeof number !== "number" || typeof bytes !== "number") return undefined;
  return { porthole: "sent", number, bytes, done: done === true };
}

function isOwn(url: string): boolean {
  return URL.parse(url, document.baseURI)?.origin === self.origin;
}
