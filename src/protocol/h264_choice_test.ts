import assert from "node:assert/strict";
import { chooseCodec } from "./h264_choice.ts";
import type { H264Offer } from "./sdp.ts";

function offer(
  payloadType: number,
  profileLevelId: string,
  packetizationMode: 0 | 1 = 1,
): H264Offer {
  return { payloadType, profileLevelId, packetizationMode };
}

/** What Chromium 156 offers. */
const CHROMIUM = [
  offer(102, "42001f"),
  offer(104, "42001f", 0),
  offer(108, "42e01f"),
  offer(114, "42e01f", 0),
  offer(116, "4d001f"),
  offer(39, "4d001f", 0),
  offer(41, "f4001f"),
  offer(43, "f4001f", 0),
];

/** What Firefox 140 offers. */
const FIREFOX = [offer(126, "42e01f"), offer(97, "42e01f", 0), offer(105, "42001f")];

const TABLE: readonly {
  readonly camera: string;
  readonly offers: readonly H264Offer[];
  readonly type: number | undefined;
  readonly why: string;
}[] = [
  { camera: "42e01f", offers: CHROMIUM, type: 108, why: "the same profile and level" },
  { camera: "42c028", offers: CHROMIUM, type: 108, why: "constrained baseline in other flags" },
  { camera: "42001e", offers: CHROMIUM, type: 102, why: "baseline" },
  { camera: "4d4029", offers: CHROMIUM, type: 116, why: "main at a higher level" },
  { camera: "640028", offers: CHROMIUM, type: 116, why: "high goes to main, not to 4:4:4" },
  { camera: "640c1f", offers: CHROMIUM, type: 116, why: "constrained high goes to main" },
  { camera: "f4001f", offers: CHROMIUM, type: 41, why: "4:4:4 has its own" },
  { camera: "640028", offers: FIREFOX, type: 105, why: "the strongest there is" },
  { camera: "000000", offers: FIREFOX, type: 105, why: "an unknown profile is not refused" },
  {
    camera: "42e01f",
    offers: [offer(96, "42e01f", 0), offer(98, "640028")],
    type: 98,
    why: "mode 1 first",
  },
  {
    camera: "42e01f",
    offers: [offer(96, "640028", 0)],
    type: 96,
    why: "mode 0 if there is no other",
  },
  {
    camera: "4d001f",
    offers: [offer(96, "42001f"), offer(98, "640c1f")],
    type: 98,
    why: "stronger first",
  },
  {
    camera: "42e01f",
    offers: [offer(96, "42e00d"), offer(98, "42e01f")],
    type: 98,
    why: "level suffices",
  },
  {
    camera: "42e01f",
    offers: [offer(96, "42e01f"), offer(98, "42e01f")],
    type: 96,
    why: "their own order",
  },
  { camera: "42e01f", offers: [], type: undefined, why: "no H.264 at all" },
];

for (const { camera, offers, type, why } of TABLE) {
  Deno.test(`a camera of ${camera} gets payload type ${type} of ${offers.length}: ${why}`, () => {
    assert.equal(chooseCodec(offers, camera)?.payloadType, type);
    const last = offers.at(-1);
    if (why !== "their own order" && last !== undefined) {
      assert.equal(chooseCodec([...offers].reverse(), camera)?.payloadType, type, "reversed");
    }
  });
}
