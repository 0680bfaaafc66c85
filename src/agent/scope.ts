/**
 * Services and cameras as one session sees them. What is not lent does not exist: it is in no list, and reaching for it
 * takes the same path to the same error as an id that nobody ever configured. This is the only place that enforces a
 * grant's scope; who holds which grant, and until when, is control's.
 *
 *   view      cameras; GET, HEAD and OPTIONS of services
 *   operate   all of services
 *   talk      nothing yet
 */
import type { Operation } from "../protocol/access.ts";
import type { CameraCode, Named } from "../protocol/control.ts";
import { StreamError } from "../protocol/errors.ts";
import { ELSEWHERE_HEADER, type RequestHead, type ResponseHead } from "../protocol/http.ts";
import type { Cameras, Services, SessionAccess } from "./seams.ts";
import type { Uses } from "./uses.ts";

/** Methods that read (RFC 9110 9.2.1). TRACE reads as well, but nobody needs it, and upstream refuses it. */
const READING: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** With one of these a service may take a GET for something else. */
const METHOD_OVERRIDES: ReadonlySet<string> = new Set([
  "x-http-method-override",
  "x-http-method",
  "x-method-override",
]);

/** A camera that is not there; the page is told the code. */
export class CameraRefusal extends Error {
  override name = "CameraRefusal";
  constructor(readonly code: CameraCode, message: string) {
    super(message);
  }
}

/** The services that this session may know of. */
export function servicesWithin(
  services: Services,
  { access, uses }: { access: SessionAccess; uses: Uses },
): Services {
  const list = () => visible(services.list(), lentServices(access));
  const check = (head: RequestHead) => {
    const use = { kind: "service", id: head.service } as const;
    const refusal = refusalOf(head, { list: list(), access });
    uses.note({ ...use, allowed: refusal === undefined });
    if (refusal !== undefined) throw refusal;
  };
  return {
    list,
    request: async (request, signal) => {
      check(request.head);
      const { head, body } = await services.request(request, signal);
      return { head: withoutUnknown(head, list()), body };
    },
    socket: async (head, signal) => {
      check(head);
      return await services.socket(head, signal);
    },
  };
}

/** A redirect to a service that is not lent tells nothing of it. */
function withoutUnknown(head: ResponseHead, list: readonly Named[]): ResponseHead {
  const headers = head.headers.filter(([name, value]) =>
    name !== ELSEWHERE_HEADER || has(list, value.split(" ", 1)[0]!) // split gives at least one item
  );
  return { ...head, headers };
}

/** The cameras that this session may know of. */
export function camerasWithin(
  cameras: Cameras,
  { access, uses }: { access: SessionAccess; uses: Uses },
): Cameras {
  const list = () => visible(cameras.list(), lentCameras(access));
  return {
    list,
    open: async (camera, listener, signal) => {
      const allowed = has(list(), camera);
      uses.note({ kind: "camera", id: camera, allowed });
      if (!allowed) throw new CameraRefusal("unknown", "Cannot open a camera: no such id");
      return await cameras.open(camera, listener, signal);
    },
  };
}

/* ---- what a scope means -------------------------------------------------------------------------------- */

const ALL = "all";
const NONE: ReadonlySet<string> = new Set();
type Lent = typeof ALL | ReadonlySet<string>;

function lentServices(access: SessionAccess): Lent {
  if (access.role === "owner") return ALL;
  return may(access, "view") || may(access, "operate") ? access.services : NONE;
}

function lentCameras(access: SessionAccess): Lent {
  if (access.role === "owner") return ALL;
  return may(access, "view") ? access.cameras : NONE;
}

function may(access: SessionAccess, operation: Operation): boolean {
  return access.role === "owner" || access.operations.has(operation);
}

function visible(named: readonly Named[], lent: Lent): readonly Named[] {
  return lent === ALL ? named : named.filter(({ id }) => lent.has(id));
}

function has(named: readonly Named[], id: string): boolean {
  return named.some((one) => one.id === id);
}

/** Whether it exists comes first: what one may do with a service tells that there is one. */
function refusalOf(
  head: RequestHead,
  { list, access }: { list: readonly Named[]; access: SessionAccess },
): StreamError | undefined {
  if (!has(list, head.service)) {
    return new StreamError("service_unknown", "Cannot find a service: no such id");
  }
  if (may(access, "operate") || onlyReads(head)) return undefined;
  return new StreamError("not_allowed", "Cannot use a service: lent for viewing only");
}

function onlyReads({ kind, method, headers }: RequestHead): boolean {
  return kind === "http" && READING.has(method) &&
    !headers.some(([name]) => METHOD_OVERRIDES.has(name.toLowerCase()));
}
