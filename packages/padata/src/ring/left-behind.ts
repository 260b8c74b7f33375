/**
 * What a job left on the owner's side besides its callback: bits, by slot.
 *
 * KEPT and OWN say what becomes of a byte result where the series gives views: its consumer releases it, or gets a copy,
 * because it looks at it later than in its callback. PROMISE is OWN too: whoever awaits looks later.
 */
export const Left = {
  KEPT: 1,
  INPUT: 2,
  PROMISE: 4,
  MORE: 8,
  CANCELLED: 16,
  OWN: 32,
} as const;
