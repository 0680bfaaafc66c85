/** The door of a session: what a proof takes, and what control's word is worth. */
import assert from "node:assert/strict";
import { utf8 } from "../lib/bytes.ts";
import { encodeControl } from "../protocol/control_codec.ts";
import { turns } from "./doubles_test.ts";
import { Stage } from "./stage_test.ts";

Deno.test("session stays shut while the proof is not done, however many messages came", async () => {
  const stage = new Stage();
  const control = await stage.connect();
  await stage.until("confirm");
  const { confirmation } = stage.admission;
  const receive = confirmation.receive.bind(confirmation);
  confirmation.receive = (message) =>
    new TextDecoder().decode(message) === "nonce"
      ? Promise.resolve(utf8("half"))
      : receive(message);
  for (let i = 0; i < 3; i++) {
    control.send(encodeControl({ type: "confirm", bytes: utf8("nonce") }));
  }
  const isHalf = ({ length }: Uint8Array) => length === "half".length;
  await stage.until("confirm", (message) => message.type === "confirm" && isHalf(message.bytes));
  await turns(50);
  assert.ok(!stage.admission.log.includes("confirmed"));
  assert.ok(!stage.peer.far.has(1));
  control.send(encodeControl({ type: "confirm", bytes: utf8("proof") }));
  await stage.until("hello");
  stage.session.close("closed", "test over");
  await stage.over;
});

Deno.test("session that control refuses at the door opens nothing and greets nobody", async () => {
  const stage = new Stage();
  const control = await stage.connect();
  await stage.until("confirm");
  stage.admission.confirmed = () => Promise.reject(new Error("Cannot admit browser: claim used"));
  control.send(encodeControl({ type: "confirm", bytes: utf8("proof") }));
  await stage.over;
  assert.ok(!stage.peer.far.has(1));
  assert.ok(!stage.messages.some(({ type }) => type === "hello"));
  assert.equal(stage.peer.closed, 1);
  assert.equal((await stage.until("bye")).type, "bye");
});
