/** Files of a running machine. */

import {
  NATURAL,
  TEXT,
  FLAG,
  NID,
  NUMBERS,
  COUNTS,
  ZONE,
  LINE,
  RANGE_AT,
  object,
  list,
  ref,
} from './builder.js';

/** Files of a running machine. */
export const PROC = object({
  'iomem?': list(object({ ...RANGE_AT, name: TEXT, depth: NATURAL })),
  'firmwareMemmap?': list(ref('mapEntry')),
  'zoneinfo?': list(
    object({
      nid: NID,
      zone: ZONE,
      'free?': NATURAL,
      'boost?': NATURAL,
      'min?': NATURAL,
      'low?': NATURAL,
      'high?': NATURAL,
      'promo?': NATURAL,
      'spanned?': NATURAL,
      'present?': NATURAL,
      'managed?': NATURAL,
      'cma?': NATURAL,
      'protection?': NUMBERS,
      'startPfn?': NATURAL,
      counters: COUNTS,
      'pcpHigh?': NATURAL,
      'pcpBatch?': NATURAL,
      ...LINE,
    }),
  ),
  'buddyinfo?': list(object({ nid: NID, zone: ZONE, counts: NUMBERS, ...LINE })),
  'pagetypeinfo?': object({
    'pageblockOrder?': NATURAL,
    'pagesPerBlock?': NATURAL,
    free: list(
      object({ nid: NID, zone: ZONE, type: TEXT, counts: NUMBERS, capped: FLAG, ...LINE }),
    ),
    blocks: list(object({ nid: NID, zone: ZONE, counts: COUNTS, ...LINE })),
  }),
  'meminfo?': COUNTS,
  'memblock?': object({ memory: list(ref('region')), reserved: list(ref('region')) }),
  'nodes?': list(
    object({ nid: NID, cpus: NUMBERS, distances: NUMBERS, 'memTotalKb?': NATURAL, ...LINE }),
  ),
});
