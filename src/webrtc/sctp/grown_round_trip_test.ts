import assert from "node:assert/strict";
import { SctpPair } from "../../../tests/vnet/sctp_pair.ts";

Deno.test("a round trip that has grown is learnt from single messages, too (6.3.1 C4, RFC 8985 7.4)", () => {
  const pair = new SctpPair({ there: { delay: 5 } });
  pair.connect();
  const { association } = pair.a;
  const send = (count: number) => {
    for (let i = 0; i < count; i++) {
      pair.a.send(new Uint8Array(10));
      pair.clock.run(2000, () => false);
    }
  };
  send(20);
  for (const link of [pair.there, pair.back]) link.change({ delay: 150 }); // 300 ms from now on
  send(20);
  const { retransmissions, roundTrip } = association.stats;
  assert(roundTrip > 200, `after 20 messages it is believed to be ${roundTrip} ms`);
  send(20);
  const more = association.stats.retransmissions - retransmissions;
  assert.equal(more, 0, `${more} of 20 messages are sent twice`);
});
