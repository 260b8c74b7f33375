/**
 * The zones that a node can have, from low addresses to high: their numbers and their names.
 */

/** Zones in the order of their limits. @kernel zone_type */
export const ZoneIndex = {
  DMA: 0,
  DMA32: 1,
  NORMAL: 2,
  HIGHMEM: 3,
  MOVABLE: 4,
  DEVICE: 5,
} as const;
/** One of {@link ZoneIndex}. */
export type ZoneIndex = (typeof ZoneIndex)[keyof typeof ZoneIndex];
/** Names as the kernel prints them, by {@link ZoneIndex}. */
export const ZONE_NAMES = ['DMA', 'DMA32', 'Normal', 'HighMem', 'Movable', 'Device'] as const;
/** One of {@link ZONE_NAMES}. */
export type ZoneName = (typeof ZONE_NAMES)[number];

/** Number of each zone by its name: {@link ZONE_NAMES} the other way round. */
export const ZONE_INDEX_BY_NAME = Object.freeze(
  Object.fromEntries(ZONE_NAMES.map((name, index) => [name, index])),
) as Readonly<Record<ZoneName, ZoneIndex>>;
