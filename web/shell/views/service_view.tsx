/** `/#/d/DEVICE/s/SERVICE/…`: a page of the device in its frame, and the live picture beside it if wanted. */
import { useRef, useState } from "hono/jsx/dom";
import type { JSX } from "hono/jsx/dom/jsx-runtime";
import type { Named } from "../../../src/protocol/control.ts";
import type { Content, Navigation } from "../content.ts";
import type { Device } from "../devices.ts";
import type { Route } from "../route.ts";
import type { ServicePlace, SessionState } from "../session.ts";
import { CameraTile } from "./camera_tile.tsx";
import { type SessionSource } from "./device_view.tsx";
import { Ended, endOf } from "./ended.tsx";
import { Glyph } from "./glyph.tsx";
import { useLasting, useLastLive, useObserved } from "./hooks.ts";
import { StateLine } from "./state_line.tsx";

const BESIDE_KEY = "porthole.beside"; // in localStorage: whether the live picture is shown beside pages
const WIDE = "(min-width: 64rem)"; // as in style.css: room for a picture beside a page

/** What the view needs of a session beside its state. */
export interface ServiceSession extends SessionSource {
  openService(place: ServicePlace): Promise<Content>;
}

export interface ServiceViewProps {
  readonly device: Device;
  readonly session: ServiceSession;
  readonly route: Route & { view: "service" };
  /** Another number asks for a new frame. */
  readonly visit: number;
  /** Title that the page gave itself; empty until it has. */
  readonly title: string;
  navigated(navigation: Navigation): void;
  reload(): void;
}

export function ServiceView(props: ServiceViewProps): JSX.Element {
  const { device, session, route, title } = props;
  const state = useObserved(session.state);
  const offer = useLastLive(state);
  const [beside, setBeside] = useBeside();
  const [content, setContent] = useState<Content | undefined>(undefined);
  const service = offer?.services.find(({ id }) => id === route.service);
  const cameras = offer?.cameras ?? [];
  const end = endOf(state);
  return (
    <main class="service" data-phase={state.phase}>
      <header class="bar">
        <a class="icon-button" href={`#/d/${device.id}`} aria-label={`Back to ${device.name}`}>
          <Glyph name="back" />
        </a>
        <h1 class="bar-title">
          <span class="bar-text">{title || service?.title || route.service}</span>
          {lookingOnly(state) ? <span class="badge">looking only</span> : null}
          <span class="faint">{device.name}</span>
        </h1>
        {cameras.length === 0 || end !== undefined ? null : (
          <button
            type="button"
            class="icon-button"
            aria-pressed={beside ? "true" : "false"}
            aria-label="Live picture beside the page"
            onClick={() => setBeside(!beside)}
          >
            <Glyph name="camera" />
          </button>
        )}
        <button
          type="button"
          class="icon-button"
          aria-label="Reload the page"
          onClick={props.reload}
        >
          <Glyph name="reload" />
        </button>
        <button
          type="button"
          class="icon-button"
          disabled={content === undefined}
          aria-label="Open in its own tab, without a frame around it"
          data-testid="own-tab"
          onClick={() => content?.detach(route.path)}
        >
          <Glyph name="newTab" />
        </button>
      </header>
      {end === undefined
        ? (
          <>
            <StateLine session={session} device={device} brief />
            <div class={beside && cameras.length > 0 ? "stage stage-beside" : "stage"}>
              {beside && cameras.length > 0 ? <Beside cameras={cameras} session={session} /> : null}
              {offer === undefined || service !== undefined
                ? <ServiceFrame {...props} service={service} opened={setContent} />
                : <UnknownService device={device} service={route.service} />}
            </div>
          </>
        )
        : (
          <div class="stage">
            <Ended device={device} code={end} retry={() => session.retryNow()} />
          </div>
        )}
    </main>
  );
}

function lookingOnly(state: SessionState): boolean {
  return state.phase === "live" && state.access.role === "guest" &&
    !state.access.operations.includes("operate");
}

/** Whether the picture is beside the page: as last chosen, else where there is room. */
function useBeside(): [boolean, (beside: boolean) => void] {
  const [beside, set] = useState(() => {
    const chosen = localStorage.getItem(BESIDE_KEY);
    return chosen === null ? matchMedia(WIDE).matches : chosen === "yes";
  });
  return [beside, (next) => {
    localStorage.setItem(BESIDE_KEY, next ? "yes" : "no");
    set(next);
  }];
}

function Beside(
  { cameras, session }: { cameras: readonly Named[]; session: ServiceSession },
): JSX.Element {
  const [chosen, choose] = useState(cameras[0]?.id);
  const camera = cameras.find(({ id }) => id === chosen) ?? cameras[0];
  return (
    <aside class="beside" aria-label="Live picture">
      {cameras.length < 2 ? null : (
        <div class="choice" role="group" aria-label="Camera">
          {cameras.map(({ id, title }) => (
            <button
              type="button"
              key={id}
              aria-pressed={id === camera?.id ? "true" : "false"}
              onClick={() => choose(id)}
            >
              {title}
            </button>
          ))}
        </div>
      )}
      {camera === undefined
        ? null
        : <CameraTile key={camera.id} camera={camera} cameras={session.cameras} />}
    </aside>
  );
}

type Opening =
  | { readonly phase: "waiting" }
  | { readonly phase: "open"; readonly content: Content }
  | { readonly phase: "failed"; readonly why: string };

interface FrameProps extends ServiceViewProps {
  /** Undefined until the device said that it has this service. */
  readonly service: Named | undefined;
  opened(content: Content | undefined): void;
}

function ServiceFrame(props: FrameProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const [tries, retry] = useState(0);
  const opening = useContent(props, { place, tries });
  const [arrived, setArrived] = useState(false); // whether the service has answered with anything
  const [wantsTab, setWantsTab] = useState<"no" | "yes" | "answered">("no");
  const content = opening.phase === "open" ? opening.content : undefined;
  useLasting(() => {
    props.opened(content);
    if (content === undefined) return;
    setArrived(false);
    setWantsTab("no");
    content.onWantsTab(() => setWantsTab((now) => now === "no" ? "yes" : now)); // once a visit
    content.onNavigate((navigation) => {
      setArrived(true);
      props.navigated(navigation);
    });
    // Only a visit loads: otherwise the path follows the frame, which is there already.
    const frame = content.frame(props.route.path);
    frame.dataset.testid = "service-frame";
    frame.className = "service-frame";
    frame.title = `Page of ${props.device.name}`;
    frame.addEventListener("load", () => setArrived(true)); // what is no HTML reports nothing
    place.current?.append(frame); // a frame loads once it is in the page
    return () => frame.remove();
  }, [content, props.visit]);
  return (
    <div class="frame-host">
      {opening.phase === "failed"
        ? <FrameFailed why={opening.why} retry={() => retry(tries + 1)} />
        : null}
      {opening.phase === "waiting" ? <p class="frame-wait" aria-hidden="true">Opening…</p> : null}
      {content === undefined || arrived
        ? null
        : <p class="frame-slow" role="status">Waiting for {props.service?.title}…</p>}
      {content === undefined || wantsTab !== "yes" ? null : (
        <WantsTab
          open={() => content.detach(props.route.path) && setWantsTab("answered")}
          stay={() => setWantsTab("answered")}
        />
      )}
      <div class="frame-place" ref={place}></div>
    </div>
  );
}

/** Opens the service once the device named it, and closes it with the view. */
function useContent(
  { session, service }: FrameProps,
  { place, tries }: { place: { readonly current: HTMLElement | null }; tries: number },
): Opening {
  const [opening, set] = useState<Opening>({ phase: "waiting" });
  useLasting(() => {
    const container = place.current;
    if (service === undefined || container === null) return;
    set({ phase: "waiting" });
    const closing = new AbortController();
    const { id, title } = service;
    session.openService({ service: id, title, container, signal: closing.signal }).then(
      (content) => closing.signal.aborted || set({ phase: "open", content }),
      (error: unknown) => {
        if (closing.signal.aborted) return;
        set({ phase: "failed", why: error instanceof Error ? error.message : "" });
      },
    );
    return () => closing.abort(new DOMException("The view was left", "AbortError"));
  }, [session, service?.id, tries]);
  return opening;
}

/** Over the page: it may show something all the same. */
function WantsTab({ open, stay }: { open: () => void; stay: () => void }): JSX.Element {
  return (
    <div class="wants-tab" role="alert" data-testid="wants-tab">
      <h2>This page does not want to be in a frame</h2>
      <p>
        It may stay blank here, or not do all that it can. In a tab of its own it has the window to
        itself.
      </p>
      <div class="actions">
        <button type="button" onClick={open}>Open in its own tab</button>
        <button type="button" class="quiet" onClick={stay}>Stay here</button>
      </div>
    </div>
  );
}

function FrameFailed({ why, retry }: { why: string; retry: () => void }): JSX.Element {
  return (
    <div class="empty" role="alert">
      <h2>This page cannot be shown</h2>
      <p>
        The browser did not let porthole set up the place where the device's pages run. That happens
        in some private windows, and where site data is blocked.
      </p>
      {why === "" ? null : <p class="faint">{why}</p>}
      <button type="button" onClick={retry}>Try again</button>
    </div>
  );
}

function UnknownService({ device, service }: { device: Device; service: string }): JSX.Element {
  return (
    <div class="empty" role="alert">
      <h2>{device.name} has no page “{service}”</h2>
      <p>It may have been renamed or removed, or this browser may not open it.</p>
      <a class="button" href={`#/d/${device.id}`}>What it has</a>
    </div>
  );
}
