/** What the kernel printed. */

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

const USES = [
  'hash-table',
  'per-cpu',
  'log-buffer',
  'bounce-buffer',
  'bounce-buffer-freed',
  'bounce-buffer-size',
  'graphics',
  'aperture',
  'kasan',
  'kmsan',
  'kfence',
  'interrupt-table',
  'page-extension',
  'page-cgroup',
  'crashkernel-cma',
  'radix-mmu',
  'hash-page-table',
  'hypervisor-page-table',
];

/** What the kernel printed. */
export const PRINTED = object({
  zoneRanges: list(object({ zone: ZONE, 'range?': ref('range'), ...LINE })),
  movableStarts: list(object({ nid: NID, start: NATURAL, ...LINE })),
  earlyRanges: list(ref('nodeRange')),
  nodeSetups: list(object({ nid: NID, 'range?': ref('range'), ...LINE })),
  unavailable: list(
    object({
      pages: NATURAL,
      'nid?': NID,
      'zone?': ZONE,
      'counts?': { enum: ['zone', 'reserved'] },
      ...LINE,
    }),
  ),
  nodePages: list(
    object({
      nid: NID,
      totalPages: NATURAL,
      zones: list(
        object({
          zone: ZONE,
          'pages?': NATURAL,
          'lifoBatch?': NATURAL,
          'memmapPages?': NATURAL,
          'reservedPages?': NATURAL,
        }),
      ),
      ...LINE,
    }),
  ),
  fallbackOrders: list(object({ nid: NID, order: NUMBERS, ...LINE })),
  'policyZone?': object({ zone: ZONE, ...LINE }),
  'zonelists?': object({
    count: NATURAL,
    'mobility?': FLAG,
    'totalPages?': NATURAL,
    'order?': { enum: ['zone', 'node'] },
    ...LINE,
  }),
  zonelistOrders: list(
    object({
      list: { enum: ['general', 'thisnode'] },
      nid: NID,
      zone: ZONE,
      entries: list(object({ nid: NATURAL, zone: ZONE })),
      ...LINE,
    }),
  ),
  memmapInit: list(
    object({ nid: NID, zoneIndex: NATURAL, startPfn: NATURAL, endPfn: NATURAL, ...LINE }),
  ),
  'memory?': object({
    availableKb: NATURAL,
    totalKb: NATURAL,
    partsKb: COUNTS,
    'beforeDeferred?': FLAG,
    ...LINE,
  }),
  deferred: list(object({ nid: NID, 'pages?': NATURAL, ms: NATURAL, ...LINE })),
  deviceInit: list(object({ pages: NATURAL, ms: NATURAL, ...LINE })),
  freeing: list(object({ what: TEXT, kb: NATURAL, ...LINE })),
  hugetlb: list(object({ pageBytes: NATURAL, preallocated: NATURAL, ...LINE })),
  'uses?': list(
    object({
      what: { enum: USES },
      'name?': TEXT,
      'bytes?': NATURAL,
      'metaBytes?': NATURAL,
      'start?': NATURAL,
      'isVirtual?': FLAG,
      ...LINE,
    }),
  ),
  'failures?': list(object({ text: TEXT, ...LINE })),
  'cma?': list(object({ 'start?': NATURAL, bytes: NATURAL, ...LINE })),
  'blockSize?': object({ bytes: NATURAL, ...LINE }),
  'lowmem?': object({ end: NATURAL, ...LINE }),
  'ramdisk?': ref('rangeAt'),
  crashkernel: list(ref('rangeAt')),
  lastPfns: list(object({ pfn: NATURAL, 'maxArchPfn?': NATURAL, ...LINE })),
  acpiTables: list(object({ ...RANGE_AT, table: TEXT })),
});
