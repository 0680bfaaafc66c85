/** What an RTSP status means to a person (RFC 2326 7.1.1). Pure. */
import { type CameraCode, CameraError } from "../source.ts";

const CODES: ReadonlyMap<number, readonly [CameraCode, string]> = new Map([
  [401, ["unauthorised", "check user and password in the camera's address"]],
  [403, ["unauthorised", "the user may not see this stream"]],
  [404, ["unreachable", "check the path in the camera's address"]],
  [406, ["unsupported", "it cannot describe the stream in SDP"]],
  [415, ["unsupported", "it does not know the media type"]],
  [453, ["busy", "it has no bandwidth left: close another viewer"]],
  [454, ["broken", "it forgot the session"]],
  [461, ["unsupported", "it offers neither TCP nor unicast UDP"]],
  [503, ["busy", "it serves others: close another viewer"]],
]);

export function statusError(status: number, method: string): CameraError {
  const [code, remedy] = CODES.get(status) ?? ["broken", "unexpected answer"];
  return new CameraError(
    code,
    `Cannot start video: camera answers ${status} to ${method}: ${remedy}`,
  );
}
