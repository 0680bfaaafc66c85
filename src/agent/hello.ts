/** The first message of a live session: who the device is, and what of it this person may reach. */
import type { ControlMessage, Named } from "../protocol/control.ts";
import { fitHello } from "../protocol/fit.ts";
import type { Cameras, Greeting, Services } from "./seams.ts";

/** `services` and `cameras` as this session sees them. */
export function helloOf(
  greeting: Greeting,
  { name, services, cameras }: { name: string; services: Services; cameras: Cameras },
): ControlMessage {
  const numbered = (kind: "service" | "camera") => ({ id, title }: Named): Named => {
    const number = greeting.numberOf?.(kind, id);
    return number === undefined ? { id, title } : { id, title, number };
  };
  const { access, pass, audit } = greeting;
  const hello = {
    type: "hello",
    name,
    services: services.list().map(numbered("service")),
    cameras: cameras.list().map(numbered("camera")),
    access,
    pass,
  } as const;
  return fitHello(audit === undefined ? hello : { ...hello, audit });
}
