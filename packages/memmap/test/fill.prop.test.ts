import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { Memmap, PageState } from '../dist/index.js';

const S = 32768;
const fills = fc.array(
  fc.record({
    kind: fc.constantFrom('init', 'reserve', 'clear'),
    start: fc.integer({ min: 0, max: 3 * S - 1 }),
    pages: fc.oneof(fc.integer({ min: 1, max: 80 }), fc.integer({ min: 1, max: S })),
    zone: fc.integer({ min: 1, max: 3 }),
  }),
  { maxLength: 12 },
);

test.each(['wasm', 'shared', 'local'] as const)(
  '%s: any sequence of fills equals the same on plain arrays',
  (storage) => {
    fc.assert(
      fc.property(fills, (steps) => {
        const map = Memmap.create({ ranges: [{ startPfn: 0, endPfn: 3 * S }], storage });
        for (const nid of [0, 1, 2]) map.defineZone(nid, 2);
        const state = new Uint8Array(3 * S);
        const zones = new Uint8Array(3 * S);
        for (const { kind, start, pages, zone } of steps) {
          const end = Math.min(start + pages, 3 * S);
          if (kind === 'clear') map.clearRange(start, end);
          else if (kind === 'init') map.initRange(start, end, zone);
          else map.initReservedRange(start, end, zone);
          const byte = { init: PageState.BODY, reserve: PageState.RESERVED, clear: 0 }[kind];
          state.fill(byte, start, end);
          zones.fill(kind === 'clear' ? 0 : zone, start, end);
        }
        const columns = map.columns();
        expect(Buffer.compare(columns.state.slice(0, 3 * S), state)).toBe(0);
        expect(Buffer.compare(columns.zone.slice(0, 3 * S), zones)).toBe(0);
      }),
      { numRuns: 25 },
    );
  },
);
