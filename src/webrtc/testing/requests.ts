/** Binding requests for tests, made without the code under test. */
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";

/** Of a session in a test. */
export const CREDENTIALS = { ufrag: "ours", password: "our password", remoteUfrag: "theirs" };

/** A binding request as a browser would make it. */
export function request(username = "ours:theirs", password = CREDENTIALS.password): Buffer {
  const name = Buffer.alloc(4 + Math.ceil(username.length / 4) * 4);
  name.writeUInt16BE(6);
  name.writeUInt16BE(username.length, 2);
  name.write(username, 4);
  const header = Buffer.from("000100002112a442000000000000000000000000", "hex");
  header.writeUInt16BE(name.length + 24, 2);
  const signed = Buffer.concat([header, name]);
  const hmac = createHmac("sha1", password).update(signed).digest();
  return Buffer.concat([signed, Buffer.from([0, 8, 0, 20]), hmac]);
}
