/** Chooses the view for the address. */
import { useRef } from "hono/jsx/dom";
import type { JSX } from "hono/jsx/dom/jsx-runtime";
import type { App, Obstacle } from "../app.ts";
import type { Device } from "../devices.ts";
import type { Route } from "../route.ts";
import type { Session } from "../session.ts";
import { DevicesView } from "./devices_view.tsx";
import { DeviceView } from "./device_view.tsx";
import { EntryView } from "./entry_view.tsx";
import { focusHeading, useLasting, useObserved } from "./hooks.ts";
import { LendView } from "./lend_view.tsx";
import { Notice } from "./notice.tsx";
import { OwnerNotes } from "./owner_notes.tsx";
import { PeopleView } from "./people_view.tsx";
import { ServiceView } from "./service_view.tsx";

/** What the views need of the app. */
export type Model = Pick<
  App,
  | "route"
  | "devices"
  | "session"
  | "pairing"
  | "obstacle"
  | "visit"
  | "title"
  | "navigated"
  | "reload"
  | "forget"
  | "checkNumber"
  | "dismissCheckNumber"
  | "kept"
  | "keepKey"
>;

export function AppView({ app }: { app: Model }): JSX.Element {
  const route = useObserved(app.route);
  const devices = useObserved(app.devices);
  const obstacle = useObserved(app.obstacle);
  const title = useObserved(app.title);
  const device = "device" in route ? devices.find(({ id }) => id === route.device) : undefined;
  useLasting(() => {
    document.title = documentTitle(route, { device, title });
  }, [route, device?.name, title]);
  useFocusOnView(`${route.view} ${"service" in route ? route.service : ""}`);
  if (obstacle !== undefined) return <ObstacleView obstacle={obstacle} />;
  switch (route.view) {
    case "devices":
      return <DevicesView devices={devices} />;
    case "pair":
    case "borrow":
      return <Entry app={app} kind={route.view} />;
    case "unknown":
      return <UnknownAddress />;
    case "device":
    case "people":
    case "lend":
    case "service":
      return device === undefined
        ? <UnknownDevice />
        : <KnownDevice app={app} route={route} device={device} />;
  }
}

function Entry({ app, kind }: { app: Model; kind: "pair" | "borrow" }): JSX.Element {
  const session = useObserved(app.session);
  return <EntryView key={kind} kind={kind} pairing={app.pairing} session={session} />;
}

function KnownDevice(
  { app, route, device }: {
    app: Model;
    route: Extract<Route, { device: string }>;
    device: Device;
  },
): JSX.Element | null {
  const session = useObserved(app.session);
  if (session?.device !== device.id) return null; // for as long as the key is being read
  const forget = () => void app.forget(device.id).catch(reportError);
  switch (route.view) {
    case "device":
      return (
        <DeviceView
          key={device.id}
          device={device}
          session={session}
          notes={<OwnerNotes app={app} device={device} session={session} place="device" />}
          forget={forget}
        />
      );
    case "people":
      return (
        <PeopleView
          key={device.id}
          device={device}
          session={session}
          notes={<OwnerNotes app={app} device={device} session={session} place="people" />}
        />
      );
    case "lend":
      return <LendView key={device.id} device={device} session={session} />;
    case "service":
      return <ServicePage app={app} route={route} device={device} session={session} />;
  }
}

function ServicePage(
  { app, route, device, session }: {
    app: Model;
    route: Route & { view: "service" };
    device: Device;
    session: Session;
  },
): JSX.Element {
  const visit = useObserved(app.visit);
  const title = useObserved(app.title);
  return (
    <ServiceView
      key={`${device.id}/${route.service}`}
      device={device}
      session={session}
      route={route}
      visit={visit}
      title={title}
      navigated={({ path, title }) => app.navigated(path, title)}
      reload={() => app.reload()}
    />
  );
}

function UnknownDevice(): JSX.Element {
  return (
    <Notice
      title="This browser does not know that device"
      testId="unknown-device"
      actions={<a class="button" href="#/">Your devices</a>}
    >
      <p>
        Links to a device open only in browsers that are paired with it, or were lent it. To pair
        this one, run <code>porthole pair</code> on the device and open the link it prints.
      </p>
    </Notice>
  );
}

function UnknownAddress(): JSX.Element {
  return (
    <Notice title="No such page" actions={<a class="button" href="#/">Your devices</a>}>
      <p>The address is incomplete or mistyped.</p>
    </Notice>
  );
}

export function ObstacleView({ obstacle }: { obstacle: Obstacle }): JSX.Element {
  if (obstacle === "no_key") {
    return (
      <Notice title="This browser is too old" testId="obstacle">
        <p>
          porthole needs a browser that can keep an Ed25519 key which no script can read out: Chrome
          or Edge from 137, Firefox from 129, Safari from 17. There is no weaker way in.
        </p>
      </Notice>
    );
  }
  return (
    <Notice title="This page cannot start" testId="obstacle">
      <p>
        The browser refuses to store porthole's key and list of devices, or this page failed. Leave
        private mode, allow this site to store data, and reload the page.
      </p>
    </Notice>
  );
}

/** Takes the keyboard, and screen readers, to the heading of a view that a person went to. */
function useFocusOnView(view: string): void {
  const before = useRef<string | undefined>(undefined);
  useLasting(() => {
    const arrived = before.current !== undefined && before.current !== view;
    before.current = view;
    if (!arrived) return;
    focusHeading({ preventScroll: true });
  }, [view]);
}

function documentTitle(
  route: Route,
  { device, title }: { device: Device | undefined; title: string },
): string {
  if (device === undefined) return "porthole";
  if (route.view === "people") return `People – ${device.name}`;
  if (route.view === "lend") return `Lend – ${device.name}`;
  return route.view === "service" && title !== ""
    ? `${title} – ${device.name}`
    : `${device.name} – porthole`;
}
