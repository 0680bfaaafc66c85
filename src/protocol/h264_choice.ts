/**
 * Which of the browser's payload types carries a camera's H.264 (DESIGN 9: nothing is refused for
 * its profile).
 */
import type { H264Offer } from "./sdp.ts";

/**
 * Profiles in the order of what their decoders master, roughly: the distance between two numbers is
 * how far apart they are. 4:4:4 and its like stand apart, since browsers decode them in software at
 * best.
 */
const RANK = {
  constrainedBaseline: 0,
  baseline: 1,
  main: 2,
  constrainedHigh: 3,
  high: 4,
  extended: 7,
  high10: 8,
  high422: 9,
  high444: 10,
  unknown: 12,
} as const;

/** profile_idc, then mask and value of the constraint flags (RFC 6184 8.1, table 5). */
const PROFILES: readonly (readonly [number, number, number, keyof typeof RANK])[] = [
  [0x42, 0x4f, 0x40, "constrainedBaseline"],
  [0x4d, 0x8f, 0x80, "constrainedBaseline"],
  [0x58, 0xcf, 0xc0, "constrainedBaseline"],
  [0x42, 0x4f, 0x00, "baseline"],
  [0x58, 0xcf, 0x80, "baseline"],
  [0x4d, 0xaf, 0x00, "main"],
  [0x58, 0xcf, 0x00, "extended"],
  [0x64, 0xff, 0x0c, "constrainedHigh"],
  [0x64, 0x00, 0x00, "high"],
  [0x6e, 0x00, 0x00, "high10"],
  [0x7a, 0x00, 0x00, "high422"],
  [0xf4, 0x00, 0x00, "high444"],
];

/**
 * The offer to answer with for a camera of `profileLevelId`: packetisation mode 1 before 0, then
 * the nearest profile, a stronger one before a weaker, then a level that suffices, then the
 * browser's own order. Undefined when the browser takes no H.264 at all.
 */
export function chooseCodec(
  offers: readonly H264Offer[],
  profileLevelId: string,
): H264Offer | undefined {
  let best: H264Offer | undefined;
  for (const offer of offers) {
    if (best === undefined || isBetter(offer, best, profileLevelId)) best = offer;
  }
  return best;
}

function isBetter(offer: H264Offer, best: H264Offer, profileLevelId: string): boolean {
  const [left, right] = [cost(offer, profileLevelId), cost(best, profileLevelId)];
  const at = left.findIndex((value, index) => value !== right[index]);
  return at >= 0 && left[at]! < right[at]!;
}

/** Smaller is better; the first number that differs decides. */
function cost(offer: H264Offer, profileLevelId: string): number[] {
  const distance = rank(offer.profileLevelId) - rank(profileLevelId);
  return [
    offer.packetizationMode === 1 ? 0 : 1,
    Math.abs(distance),
    distance >= 0 ? 0 : 1,
    byteAt(offer.profileLevelId, 2) >= byteAt(profileLevelId, 2) ? 0 : 1,
  ];
}

function rank(profileLevelId: string): number {
  const [idc, flags] = [byteAt(profileLevelId, 0), byteAt(profileLevelId, 1)];
  const row = PROFILES.find(([profile, mask, value]) =>
    profile === idc && (flags & mask) === value
  );
  return RANK[row?.[3] ?? "unknown"];
}

function byteAt(profileLevelId: string, index: number): number {
  return parseInt(profileLevelId.slice(2 * index, 2 * index + 2), 16);
}
