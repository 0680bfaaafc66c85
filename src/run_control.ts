/**
 * Connects what decides who comes in: identity and store below, clock, log and grants above them, and the two ways to it,
 * offers from the rendezvous and commands on this machine. `run_device.ts` puts WebRTC, services and cameras around it.
 *
 *   offers --> admissions --> entrance --+--> pairing, grants --> records (store)
 *                                        |
 *   admin socket, owner's page --> household, lending          heartbeat looks at all of it each second
 */
import { join } from "node:path";
import type { DeviceConfig } from "./run_device.ts";
import { Admissions, type AdmissionsOptions } from "./control/admission.ts";
import { Audit } from "./control/audit.ts";
import { Changes } from "./control/changes.ts";
import { DeviceClock } from "./control/clock.ts";
import { Entrance } from "./control/entrance.ts";
import { Grants } from "./control/grants.ts";
import { GrantWatch } from "./control/grant_watch.ts";
import { Heartbeat } from "./control/heartbeat.ts";
import { Household } from "./control/household.ts";
import { Identity } from "./control/identity.ts";
import { KeyRotation } from "./control/key_rotation.ts";
import { Lending } from "./control/lending.ts";
import { LiveSessions } from "./control/live_sessions.ts";
import { Pairing } from "./control/pairing.ts";
import { Passes } from "./control/passes.ts";
import { Things } from "./control/things.ts";
import { createLog } from "./lib/log_sink.ts";
import type { Stops } from "./run_stops.ts";
import { Store } from "./store/store.ts";

/** What the rest of the device gives. */
export interface ControlSurroundings
  extends Pick<AdmissionsOptions, "hasRoom" | "onAdmission" | "onPresenceChange"> {
  /** `passes` has other tags: give them to the rendezvous. */
  onPeopleChange(): void;
}

/** The parts that others talk to. */
export interface Control {
  readonly identity: Identity;
  readonly admissions: Admissions;
  readonly passes: Pick<Passes, "shortTags">;
  readonly household: Household;
  readonly lending: Lending;
  readonly audit: Audit;
  readonly clock: DeviceClock;
  /** Begins to look at sessions, time and keys, once everything else is there. */
  start(): Promise<void>;
  /** Whether sessions, time and keys are looked at, as they must each second. */
  isBeating(): boolean;
}

/** Opens identity and store, and makes the parts. Throws an Error with a remedy. */
export async function createControl(
  config: DeviceConfig,
  { surroundings, stops, builtAt }: {
    surroundings: ControlSurroundings;
    stops: Stops;
    builtAt: number | undefined;
  },
): Promise<Control> {
  const identity = await Identity.load(config.state);
  const records = openStore(config.state);
  stops.push(() => records.close());

  const log = createLog("control");
  const monotonic = () => performance.now();
  const { signer, id, keyId } = identity;
  const device = { id, keyId, publicKey: signer.publicKey };
  const system = () => Date.now();
  const clock = new DeviceClock({ mode: config.clock, records, builtAt, monotonic, system });
  const sign: typeof signer.sign = (message) => signer.sign(message);
  const audit = new Audit({ records, clock, monotonic, sign, log });
  const changes = new Changes();
  const pairing = new Pairing(signer);
  const passes = new Passes({
    ...{ secret: identity.passSecret, records },
    isOver: (grant) => grants.over(grant) !== undefined,
    onChange: () => surroundings.onPeopleChange(),
  });
  const things = new Things(records, {
    services: config.services.map(({ id }) => id),
    cameras: config.cameras.map(({ id }) => id),
  });
  const grants: Grants = new Grants({
    ...{ device, records, clock, audit, passes, monotonic },
  });
  const lending = new Lending({ device, signer, records, clock, grants, things, audit, changes });
  const live = new LiveSessions({ log, changes });
  const household = new Household({
    ...{ records, clock, grants, live, pairing, passes, things, audit, changes, log, monotonic },
  });
  const entrance = new Entrance({
    ...{ device, records, clock, pairing, grants, lending, household, things, audit },
    ...{ changes, log, monotonic },
  });
  const admissions = new Admissions({
    ...{ identity, entrance, passes, live, audit, log, monotonic },
    ...surroundings,
  });
  const onRotation = surroundings.onPresenceChange;
  const rotation = new KeyRotation({ identity, clock, monotonic, onRotation });
  const watch = new GrantWatch({ records, grants, changes, monotonic });
  const heartbeat = new Heartbeat({ live, grants, watch, audit, rotation, log });
  stops.push(() => heartbeat.stop());
  const start = async () => {
    audit.start();
    await admissions.start();
    heartbeat.start();
  };
  const isBeating = () => heartbeat.isBeating();
  return { identity, admissions, passes, household, lending, audit, clock, start, isBeating };
}

function openStore(state: string): Store {
  const store = Store.open(join(state, "porthole.db"));
  if (store.damaged !== undefined) {
    createLog("store").error("store.damaged", { movedTo: store.damaged.movedTo });
  }
  return store;
}
