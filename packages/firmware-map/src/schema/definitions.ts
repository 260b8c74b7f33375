/** Records that occur in several places, by name. */

import {
  NATURAL,
  TEXT,
  FLAG,
  NID,
  KIND,
  MARKS,
  RANGE,
  LINE,
  RANGE_AT,
  NODE_RANGE,
  object,
  list,
  type Schema,
} from './builder.js';

/** Records that occur in several places, by name. */
export const DEFS: Readonly<Record<string, Schema>> = {
  range: object(RANGE),
  rangeAt: object(RANGE_AT),
  nodeRange: NODE_RANGE,
  mapEntry: object({
    ...RANGE_AT,
    kind: KIND,
    'typeNumber?': NATURAL,
    text: TEXT,
    'late?': FLAG,
    provider: TEXT,
  }),
  mapEdit: object({
    ...RANGE_AT,
    action: { enum: ['update', 'remove'] },
    'from?': KIND,
    'to?': KIND,
    by: { enum: ['e820', 'efi'] },
    'late?': FLAG,
  }),
  efiEntry: object({ ...RANGE_AT, 'type?': NATURAL, name: TEXT, attributes: list(TEXT) }),
  region: object({ ...RANGE_AT, 'nid?': NID, flags: MARKS }),
  operation: {
    anyOf: [
      object({
        ...RANGE_AT,
        op: { enum: ['add', 'reserve', 'remove', 'free', 'free-late', 'physmem-add'] },
        caller: TEXT,
        'nid?': NID,
        'flags?': MARKS,
      }),
      object({
        ...LINE,
        op: { const: 'alloc' },
        kernelName: TEXT,
        size: NATURAL,
        align: NATURAL,
        'nid?': NID,
        from: NATURAL,
        maxAddr: NATURAL,
        caller: TEXT,
      }),
      object({
        ...RANGE_AT,
        op: { const: 'grow' },
        list: { enum: ['memory', 'reserved', 'physmem'] },
        regions: NATURAL,
      }),
    ],
  },
  amount: {
    anyOf: [object({ bytes: NATURAL }), object({ percent: { ...NATURAL, maximum: 100 } })],
  },
  numaOption: {
    anyOf: [
      object({ mode: { enum: ['off', 'noacpi', 'nohmat', 'on'] } }),
      // As a command line can say it: no node at all, and none of no size, is no option.
      object({
        mode: { const: 'fake' },
        text: TEXT,
        count: { type: 'integer', minimum: 1, maximum: 9999 },
        uniform: FLAG,
      }),
      object({ mode: { const: 'fake' }, text: TEXT, size: { ...NATURAL, minimum: 1 } }),
    ],
  },
};
