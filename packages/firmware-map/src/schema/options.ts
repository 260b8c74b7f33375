/** Memory options of the command line. */

import { NATURAL, TEXT, FLAG, object, list, ref } from './builder.js';

/** Memory options of the command line. */
export const OPTIONS = object({
  'mem?': NATURAL,
  'memAt?': list(object({ start: NATURAL, size: NATURAL })),
  memmap: list(
    object({
      text: TEXT,
      form: {
        enum: ['exactmap', 'limit', 'usable', 'acpi', 'reserved', 'persistent', 'change'],
      },
      'size?': NATURAL,
      'start?': NATURAL,
      'oldType?': NATURAL,
      'newType?': NATURAL,
    }),
  ),
  'kernelcore?': { anyOf: [ref('amount'), object({ mirror: { const: true } })] },
  'movablecore?': ref('amount'),
  movableNode: FLAG,
  numa: list(ref('numaOption')),
  crashkernel: list(
    object({
      text: TEXT,
      'size?': NATURAL,
      'offset?': NATURAL,
      'where?': { enum: ['high', 'low', 'cma'] },
      'steps?': list(object({ start: NATURAL, 'end?': NATURAL, size: NATURAL })),
    }),
  ),
  hugepages: list(
    object({
      'pageBytes?': NATURAL,
      'count?': NATURAL,
      'perNode?': list(object({ nid: NATURAL, count: NATURAL })),
    }),
  ),
  'defaultHugepageSize?': NATURAL,
  'acceptMemory?': { enum: ['lazy', 'eager'] },
  memblockDebug: FLAG,
  'logBufLen?': NATURAL,
  efiDebug: FLAG,
  noSoftReserve: FLAG,
  'efiFakeMem?': TEXT,
  addEfiMemmap: FLAG,
  'initOnAlloc?': FLAG,
  'initOnFree?': FLAG,
  'shuffle?': FLAG,
  'highmem?': NATURAL,
  'cma?': NATURAL,
  'maxCpus?': NATURAL,
  'nrCpus?': NATURAL,
  'possibleCpus?': NATURAL,
  'vmalloc?': NATURAL,
  'minMemoryBlockSize?': NATURAL,
  'memmapOnMemory?': TEXT,
  'memhpDefaultState?': TEXT,
});
