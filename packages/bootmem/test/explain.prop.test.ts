/** The table adds up for all inputs: a model of its parts, and every log at hand. */
import { intersect, normalise, subtract, totalLength } from '@bootmem/firmware-map/derive';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LevelDraft } from '../dist/accounts/base/level.js';
import { TakenRanges } from '../dist/accounts/base/taken-ranges.js';
import { owners } from '../dist/accounts/base/owners.js';
import { explainMachine } from '../dist/explain/explain-machine.js';
import type { ExplainReport } from '../dist/explain-result.js';
import { loadMachine } from '../dist/index.js';
import { firstFault } from './helpers/accounts.js';
import { FIXTURES } from './helpers/run.js';

const SPAN = 64;
const span = fc
  .tuple(fc.nat(SPAN), fc.nat(SPAN))
  .map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) }));
const spans = fc.array(span, { maxLength: 6 });

const cells = (ranges: readonly { start: number; end: number }[]): boolean[] =>
  Array.from({ length: SPAN }, (_, at) => ranges.some(({ start, end }) => start <= at && at < end));

test('sets of ranges are sets of cells', () => {
  fc.assert(
    fc.property(spans, spans, (left, right) => {
      const [a, b] = [cells(left), cells(right)];
      expect(cells(normalise(left))).toEqual(a);
      expect(cells(intersect(left, normalise(right)))).toEqual(a.map((is, at) => is && b[at]!));
      expect(cells(subtract(normalise(left), normalise(right)))).toEqual(
        a.map((is, at) => is && !b[at]!),
      );
      expect(totalLength(normalise(left))).toBe(a.filter(Boolean).length);
    }),
  );
});

test('an address belongs to the last claim that covers it', () => {
  fc.assert(
    fc.property(spans, (claims) => {
      const named = claims
        .filter(({ start, end }) => start < end)
        .map((range, index) => ({ ...range, owner: index + 1 }));
      const parts = owners(named);
      for (let at = 0; at < SPAN; at++) {
        const covers = ({ start, end }: { start: number; end: number }): boolean =>
          start <= at && at < end;
        expect(parts.find(covers)?.owner).toBe(named.findLast(covers)?.owner);
      }
    }),
  );
});

test('a byte is taken once, by the first that asks, and what is taken is sorted and disjoint', () => {
  fc.assert(
    fc.property(fc.array(span), (asked) => {
      const taken = new TakenRanges();
      for (const [index, range] of asked.entries()) {
        const before = asked.slice(0, index);
        expect(taken.take(range)).toEqual(subtract(normalise([range]), before));
        expect(taken.ranges).toEqual(normalise([...before, range]));
      }
    }),
  );
});

const KINDS = ['image', 'initrd', 'cma', 'descriptors', 'kasan', 'per-cpu'] as const;
const row = fc.record({
  kind: fc.constantFrom(...KINDS),
  how: fc.constantFrom('printed' as const, 'computed' as const),
  ranges: fc.option(spans, { nil: undefined }),
  bytes: fc.nat(100),
});

test('a level adds up whatever rows come, and cuts rules before lines', () => {
  fc.assert(
    fc.property(fc.array(row), fc.nat(500), fc.option(fc.nat(600)), (rows, whole, left) => {
      const draft = new LevelDraft();
      for (const { ranges, ...other } of rows) {
        const evidence = [{ text: 'a line' }];
        draft.add({ ...other, ...(ranges === undefined ? {} : { ranges }), evidence });
      }
      const amount = (bytes: number) => ({ label: 'x', bytes, evidence: [] });
      const level = draft.finish(
        { id: 'reserved', title: 'x' },
        amount(whole),
        left === null ? undefined : amount(left),
      );
      const report = { levels: [level] } as unknown as ExplainReport;
      expect(firstFault(report)).toBeUndefined();
      const isCut = (how: string): boolean =>
        level.rows.some((one) => one.how === how && one.cut !== undefined);
      if (isCut('printed')) expect(level.rows.every((one) => one.how === 'printed')).toBe(true);
      if (level.rows.some((one) => one.cut !== undefined)) expect(level.rest.bytes).toBe(0);
    }),
  );
});

/** Logs of the shared oracle where it is there, and those of this repository. */
function logs(): string[] {
  const shared = new URL('../../../../shared/oracle/', import.meta.url).pathname;
  const corpus = join(shared, 'corpus');
  const boots = [FIXTURES, join(shared, 'boots'), join(shared, 'boots2')];
  const files = existsSync(corpus)
    ? readdirSync(corpus)
        .filter((name) => name.endsWith('.dmesg'))
        .map((name) => join(corpus, name))
    : [];
  const folders = boots
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .filter((path) => existsSync(join(path, 'dmesg.txt')));
  return [...files, ...folders];
}

describe('every log at hand', () => {
  test('adds up at every level', async () => {
    const faults: string[] = [];
    for (const path of logs()) {
      const input = await loadMachine(path);
      for (const installed of [undefined, 3 * 2 ** 30]) {
        const report = explainMachine(input, installed === undefined ? {} : { installed });
        const fault = firstFault(report);
        if (fault !== undefined) faults.push(`${path}: ${fault}`);
      }
    }
    expect(faults).toEqual([]);
  }, 300_000);
});
