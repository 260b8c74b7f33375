import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { deriveMemory } from '@bootmem/firmware-map/derive';
import { describe } from './helpers.js';

// Small addresses in units of half a page, so that borders inside pages are common.
const UNIT = 2048;
const SPACE = 600;
const BASE = 0x100000;

const kinds = fc.constantFrom(
  'usable',
  'usable',
  'usable',
  'reserved',
  'ACPI data',
  'persistent (type 7)',
);
const range = fc
  .tuple(fc.nat(SPACE - 2), fc.integer({ min: 1, max: 80 }))
  .map(([start, length]) => ({ start, end: Math.min(SPACE, start + length) }));
const entries = fc.array(fc.record({ range, kind: kinds }), { minLength: 1, maxLength: 12 });
const blocks = fc.array(fc.record({ range, nid: fc.nat(3) }), { maxLength: 6 });

const hex = (unit: number, last = 0): string =>
  `0x${(BASE + unit * UNIT - last).toString(16).padStart(16, '0')}`;
const RANKS = ['usable', 'reserved', 'ACPI data', 'persistent (type 7)'];

test('memory by node equals a model that looks at every half page alone', () => {
  fc.assert(
    fc.property(entries, blocks, (map, nodes) => {
      fc.pre(map.some(({ kind }) => kind === 'usable'));
      const lines = [
        'Linux version 6.12.0',
        ...map.map(
          ({ range: { start, end }, kind }) =>
            `BIOS-e820: [mem ${hex(start)}-${hex(end, 1)}] ${kind}`,
        ),
        ...nodes.map(
          ({ range: { start, end }, nid }) =>
            `ACPI: SRAT: Node ${nid} PXM ${nid} [mem ${hex(start)}-${hex(end, 1)}]`,
        ),
      ];
      // The model: of each half page the strongest kind, and the first node that claims it.
      const kindAt = Array.from({ length: SPACE }, (_, unit) =>
        Math.max(
          -1,
          ...map
            .filter(({ range: r }) => r.start <= unit && unit < r.end)
            .map(({ kind }) => RANKS.indexOf(kind)),
        ),
      );
      const nodeAt = (unit: number): number =>
        nodes.find(({ range: r }) => r.start <= unit && unit < r.end)?.nid ?? 0;
      const owner = (page: number): number | undefined => {
        const halves = [2 * page, 2 * page + 1];
        if (halves.some((unit) => kindAt[unit] !== 0)) return undefined;
        return nodeAt(halves[0]!) === nodeAt(halves[1]!) ? nodeAt(halves[0]!) : undefined;
      };
      const expected = Array.from({ length: SPACE / 2 }, (_, page) => owner(page));
      const found = new Array<number | undefined>(SPACE / 2).fill(undefined);
      for (const { start, end, nid } of deriveMemory(describe(lines.join('\n'))).memory) {
        for (let at = start; at < end; at += 4096) {
          expect(found[(at - BASE) / 4096]).toBeUndefined();
          found[(at - BASE) / 4096] = nid;
        }
      }
      // Within a node's claim, a page that two of its own blocks share still is that node's.
      expect(found).toEqual(expected);
    }),
    { numRuns: 400 },
  );
});
