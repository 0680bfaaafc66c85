import type { FromPump, ToPump } from "../sw/port_messages.ts";
import { PortEnd } from "./port_end.ts";

/** The pump's end of a stream's port. */
export class PumpSide extends PortEnd<ToPump, FromPump> {}
