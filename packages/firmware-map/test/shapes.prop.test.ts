// A line of a usual shape gives the record that the recognisers give for it, or is left to them with nothing done.
import { describe as group, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Draft } from '../dist/records/draft.js';
import { readBlockLine } from '../dist/records/zone-lines.js';
import { recognise } from '../dist/read/recognisers.js';
import { timeEnd } from '../dist/text/clean-line.js';
import { LineCodes } from '../dist/text/line-codes.js';
import { SHAPES, UsualLines } from '../dist/read/usual-lines.js';
import { Fields } from '../dist/shapes/fields.js';
import { ShapeTree, type Shape } from '../dist/shapes/shape-tree.js';
import { describe, fixture } from './helpers.js';

const BLOCKS = ['none', 'zone-ranges', 'movable', 'movable-pfn', 'early'] as const;

/** A draft in the middle of a boot. */
function begun(block: Draft['block'], regions: number): Draft {
  const draft = new Draft(1);
  if (regions >= 0) {
    recognise('MEMBLOCK configuration:', draft, 1);
    for (let index = 0; index < regions; index++) {
      const [start, end] = [index * 0x1000, index * 0x1000 + 0xfff].map((at) => at.toString(16));
      const line = ` memory[0x${index}]\t[0x${start}-0x${end}], 0x1000 bytes flags: 0x0`;
      recognise(line, draft, 2 + index);
    }
  }
  draft.mapHandedOver = regions > 1;
  draft.enter(block);
  draft.blockGap = 3;
  return draft;
}

/** Reads a line of a usual shape. */
function takeUsual(line: string, draft: Draft): Shape | undefined {
  const shape = usual.find(line, codes.set(line), timeEnd(line));
  return shape?.take(usual.fields, draft, 9) === true ? shape : undefined;
}
const usual = new UsualLines();
const codes = new LineCodes();

/** All that a draft holds, its problems too. */
function contents(draft: Draft): unknown {
  const problems = draft.problems.list();
  return {
    ...Object.fromEntries(Object.entries(draft)),
    problems,
    votes: [...draft.architectureVotes],
  };
}

const hex = fc.oneof(
  fc.nat(4).map((value) => value.toString(16)),
  fc.nat(2 ** 31 - 1).map((value) => value.toString(16)),
  fc.maxSafeNat().map((value) => value.toString(16).padStart(16, '0')),
  fc.constantFrom('ABCDEF', 'ffffffffffffffff', '1fffffffffffff', '20000000000000', '', '0x1'),
);
const decimal = fc.oneof(
  fc.nat(3).map(String),
  fc.nat(2000).map(String),
  fc.maxSafeNat().map(String),
  fc.constantFrom('1023', '1024', '9007199254740992', '007', '', 'f'),
);
const FIELDS: Readonly<Record<string, fc.Arbitrary<string>>> = {
  x: hex,
  d: decimal,
  i: fc.oneof(decimal, fc.constantFrom('-1', '-', '-0', '--1')),
  _: fc.constantFrom(' ', '   ', ''),
  t: fc.constantFrom(
    'Conventional Memory|   |  |  |WB|WT|WC|UC',
    'Unaccepted         |   |WB',
    'Boot Code|',
    'Odd|xWhat|*',
    '|WB',
    'Reserved',
    'Xen: NODE_DATA|WB',
    '',
  ),
  S: fc.constantFrom(
    'setup_arch+0x797/0xd4f',
    'ppc64_numa_init+0x10/0x20',
    'NODE_DATA_init+0x1/0x2',
    'alloc.constprop.0+0x1/0x2',
    'probe+0x1/0x2 [module]',
    'flags',
    'nid=7x foo',
    '0xffffffff81000000',
    '',
  ),
};

/** A line of the shape, with what may stand in its fields, whether it fits or not. */
function lineOf({ text }: Shape): fc.Arbitrary<string> {
  const parts = text
    .split(/(%.)/)
    .map((part) => (part.startsWith('%') ? FIELDS[part[1]!]! : fc.constant(part)));
  return fc.tuple(...parts).map((pieces) => pieces.join(''));
}

/** A few characters of a line taken away, or others put in. */
function damaged(line: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const damage = fc.record({
    at: fc.nat(),
    removed: fc.nat(2),
    put: fc.constantFrom('', '', ' ', '0', 'x', '[', ']', 'mem ', ' hotplug', 'nid=1 '),
  });
  return fc.tuple(line, fc.option(damage)).map(([text, change]) => {
    if (change === null) return text;
    const at = change.at % (text.length + 1);
    return (text.slice(0, at) + change.put + text.slice(at + change.removed)).trimEnd();
  });
}

test('what a shape keeps is what the recognisers keep', () => {
  const taken = new Set<number>();
  const anyLine = fc
    .nat(SHAPES.length - 1)
    .chain((at) => fc.tuple(fc.constant(at), damaged(lineOf(SHAPES[at]!))));
  fc.assert(
    fc.property(
      anyLine,
      fc.constantFrom(...BLOCKS),
      fc.integer({ min: -1, max: 3 }),
      fc.constantFrom('', ' ', '[    1.250000] ', '[    0.000000][    T0]  ', '[    0.000000]'),
      ([at, message], block, regions, prefix) => {
        const line = prefix + message;
        const [draft, other] = [begun(block, regions), begun(block, regions)];
        const before = contents(begun(block, regions));
        const shape = takeUsual(line, draft);
        if (shape === undefined) {
          expect(contents(draft)).toEqual(before);
          return;
        }
        taken.add(at);
        const plainly = recognise(line, other, 9) ?? readBlockLine(line, other, 9);
        expect([line, plainly]).toEqual([line, 'taken']);
        expect([line, contents(draft)]).toEqual([line, contents(other)]);
        // Fields stand in the same order as well: a description is compared as text.
        expect(JSON.stringify(contents(draft))).toBe(JSON.stringify(contents(other)));
      },
    ),
    { numRuns: 12_000 },
  );
  expect(taken.size).toBeGreaterThan(SHAPES.length / 2);
});

test('a shape is taken as the kernel writes it, and nearly all records of a log are of one', () => {
  const draft = begun('zone-ranges', 1);
  const shapeOf = (line: string) => takeUsual(line, draft)?.text;
  expect(shapeOf('  DMA      [mem 0x0000000000001000-0x0000000000ffffff]')).toMatch('DMA%_[mem');
  expect(shapeOf('[    0.000000][ C127] last_pfn = 0x140000 max_arch_pfn = 0x4')).toMatch(
    'max_arch',
  );
  expect(shapeOf('[    0.000000][  X1] last_pfn = 0x140000')).toBeUndefined();
  expect(shapeOf('[    0.000000] [T0]last_pfn = 0x140000')).toBeUndefined();
  expect(shapeOf('[    0.000000]last_pfn = 0x140000')).toBeUndefined();
  expect(shapeOf('last_pfn = 0x140000\u00ef')).toBeUndefined();
  expect(shapeOf('[    0.000000]')).toBeUndefined();
  expect(shapeOf('')).toBeUndefined();
  const lines = fixture('x86-2n.dmesg').split('\n');
  const fresh = begun('zone-ranges', 0);
  expect(lines.filter((line) => takeUsual(line, fresh) !== undefined).length).toBeGreaterThan(35);
});

test('places that many records name are one text, whatever line it was cut out of', () => {
  const lines = Array.from(
    { length: 5000 },
    (_, index) => `memblock_reserve: [0x${index}000-0x${index}fff] place_${index % 4500}+0x1/0x2`,
  );
  const { memblock } = describe(
    ['Linux version 6.12.0', 'BIOS-e820: [mem 0x0-0xfffff] usable', ...lines].join('\n'),
  );
  expect(memblock.operations).toHaveLength(5000);
  for (const [index, operation] of memblock.operations.entries()) {
    expect(operation).toMatchObject({ caller: `place_${index % 4500}+0x1/0x2` });
  }
});

group('a tree of shapes', () => {
  const shape = (text: string): Shape => ({ text, take: () => true });
  const find = (line: string, ...texts: string[]): [string | undefined, ...number[]] => {
    const fields = new Fields();
    const found = new ShapeTree(texts.map(shape)).find(codes.set(line), 0, fields);
    return [found?.text, ...fields.numbers.slice(0, fields.count)];
  };

  test('the end of a line tells a shape from a longer one', () => {
    const shapes = ['pfn = 0x%x', 'pfn = 0x%x max = 0x%x', 'pages = %d'];
    expect(find('pfn = 0x1f', ...shapes)).toEqual([shapes[0], 31]);
    expect(find('  pfn = 0x1f max = 0x20', ...shapes)).toEqual([shapes[1], 31, 32]);
    expect(find('pages = 12', ...shapes)).toEqual([shapes[2], 12]);
    for (const line of [
      'pfn = 0x1F',
      'pfn = 0xA',
      'pfn = 0x',
      'pfn = 0x1f max = 0x',
      'pages = 12 ',
      'pages = 1f',
      'pf',
      '',
    ]) {
      expect(find(line, ...shapes)[0]).toBeUndefined();
    }
  });

  test('a place at the end is what is no word of another shape', () => {
    const shapes = ['free: %d %S', 'free: %d flags %x %S', 'free: %d nid=%i'];
    expect(find('free: 1 fla+0x1/0x2', ...shapes)[0]).toBe(shapes[0]);
    expect(find('free: 1 flags 20 fla+0x1/0x2', ...shapes)).toEqual([shapes[1], 1, 32]);
    expect(find('free: 1 nid=-3', ...shapes)).toEqual([shapes[2], 1, -3]);
    expect(find('free: 1 nid=-', ...shapes)[0]).toBeUndefined();
    expect(find('free: 1 two words', ...shapes)[0]).toBeUndefined();
  });

  test('what could be two shapes, or has no such field, is a mistake of those who wrote it', () => {
    expect(() => find('', 'a %d', 'a %d')).toThrow('is two shapes');
    expect(() => find('', 'a %d', 'a %x')).toThrow('is not told');
    expect(() => find('', 'a %d', 'a 7')).toThrow('is not told');
    expect(() => find('', 'a %q')).toThrow('is no field');
    expect(() => find('', '%d '.repeat(9))).toThrow('more than 8 numbers');
  });
});
