// The journal of the free lists: the code that ships, with threads that end at every point, in recovery too
// (test/model/journal-model.ts); and with mistakes, to know that a fault would be seen.
import { expect, test } from '@jest/globals';

import { exploreJournal, STARTS } from './model/journal-model.js';
import { type Break, loadMortals } from './support/kill-points.js';

const AREA = 'lists/free-area.js';
const RECOVERY = 'lists/recovery.js';
const without = (file: string, find: string): Break => ({ file, find, put: '' });

const WIDEN_LOW = '                w[JOURNAL_ORDER] = (o + 2) | 0;\n';
const LOW = '                const next = links[buddy << 1];\n';
const WIDEN = '                w[JOURNAL_ORDER] = o + 2;\n';
const LARGE = '                removeLow(buddy, o, type);\n';
const SPLIT =
  '        if (high > order)\n            expand(index, order, high, migratetype, dirty);\n';
const REGION = '    const region = w[z + Zone.JOURNAL_INDEX] & ~((1 << order) - 1);\n';

const MISTAKES: readonly (readonly [string, keyof typeof STARTS, Break])[] = [
  [
    'take without journal',
    'whole',
    without(AREA, '        w[JOURNAL_INDEX] = index;\n        w[JOURNAL_ORDER] = high + 1;\n'),
  ],
  [
    'take: closed before the rest is split',
    'whole',
    { file: AREA, find: SPLIT, put: `        w[JOURNAL_ORDER] = 0;\n${SPLIT}` },
  ],
  [
    'take from another type without journal',
    'whole',
    without('lists/fallback.js', '        area.journal(index, found + 1);\n'),
  ],
  [
    'isolation cuts a block without journal',
    'whole',
    without('zone/isolation.js', '    area.journal(index, head.order + 1);\n'),
  ],
  ['free: not widened at a merge', 'used', { file: AREA, find: WIDEN_LOW + LOW, put: LOW }],
  [
    'free of large blocks: not widened at a merge',
    'used',
    { file: AREA, find: WIDEN + LARGE, put: LARGE },
  ],
  [
    'who comes next puts nothing in order',
    'used',
    { file: 'zone/zone.js', find: `if (taken === 'recovered')`, put: 'if (this.closed === this)' },
  ],
  [
    'recovery forgets the region',
    'used',
    { file: RECOVERY, find: 'const pages = freeRegion(zone);', put: 'const pages = 0;' },
  ],
  [
    'recovery closes the region before it is free',
    'used',
    { file: RECOVERY, find: REGION, put: `${REGION}    w[z + Zone.JOURNAL_ORDER] = 0;\n` },
  ],
  ['recovery leaves pairs', 'used', without(RECOVERY, '    mergePairs(zone);\n')],
  ['recovery leaves blocks of several types', 'whole', without(RECOVERY, '    cutMixed(zone);\n')],
  [
    'recovery takes a block for one of its first pageblock’s type',
    'reserved',
    {
      file: 'lists/mixed.js',
      find: 'i < index + (1 << order)',
      put: 'i < index',
    },
  ],
  [
    'recovery counts blocks beside those of before',
    'whole',
    without(RECOVERY, '    area.reset();\n'),
  ],
];

test.each(Object.entries(STARTS))(
  'from %s: whoever ends wherever, all is put in order',
  async (_, start) => {
    const { violation, states, again } = exploreJournal(await loadMortals(null), start);
    expect(violation).toBeUndefined();
    expect(states).toBeGreaterThan(1000);
    expect(again).toBeGreaterThan(1000);
  },
);

test.each(MISTAKES)('caught: %s', async (_, start, fault) => {
  expect(exploreJournal(await loadMortals(fault), STARTS[start]!).violation).toBeDefined();
});
