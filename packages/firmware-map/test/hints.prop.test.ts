// The hints of a line, found by parts of their texts, are those whose expressions match it: no more, no fewer, in their order.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { HintIndex } from '../dist/read/hint-index.js';
import { literalsOf } from '../dist/read/literals.js';

/** Hints of all recognisers there are. */
async function allHints(): Promise<string[]> {
  const hints: string[] = [];
  const folder = new URL('../dist/records/', import.meta.url);
  for (const file of readdirSync(folder).filter((name) => name.endsWith('-lines.js'))) {
    const lists = Object.values((await import(new URL(file, folder).href)) as object);
    for (const list of lists.filter(Array.isArray) as { hint?: string }[][]) {
      hints.push(...list.flatMap(({ hint }) => hint ?? []));
    }
  }
  return hints;
}

const FIXTURES = new URL('./fixtures/', import.meta.url);
const lines = readdirSync(FIXTURES, { withFileTypes: true })
  .filter((entry) => entry.isFile())
  .flatMap(({ name }) => readFileSync(new URL(name, FIXTURES), 'utf8').split('\n'));

test('lines of recorded logs', async () => {
  const hints = await allHints();
  expect(hints.length).toBeGreaterThan(60);
  const index = new HintIndex(hints);
  const patterns = hints.map((hint) => new RegExp(hint));
  let found = 0;
  for (const line of lines) {
    const plainly = patterns.flatMap((pattern, at) => (pattern.test(line) ? [at] : []));
    found += plainly.length;
    expect([line, ...index.matching(line)]).toEqual([line, ...plainly]);
  }
  expect(found).toBeGreaterThan(300);
});

test('cut, joined and changed lines, and the texts of hints anywhere in one', async () => {
  const hints = await allHints();
  const index = new HintIndex(hints);
  const patterns = hints.map((hint) => new RegExp(hint));
  const texts = hints.flatMap((hint) => literalsOf(hint).map(({ text }) => text));
  const piece = fc.oneof(
    fc.constantFrom(...lines),
    fc.constantFrom(...texts),
    fc.constantFrom(...texts).map((text) => text.slice(1)),
    fc.constantFrom(...texts).map((text) => text.slice(0, -1)),
    fc.constantFrom('0x1', '7', ' ', ': ', '[0x', 'k', 'é', '\u0100\u2065', 'hotplug', '@'),
    fc.string({ maxLength: 5, unit: 'binary' }),
  );
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 5 }), (pieces) => {
      const line = pieces.join('');
      const plainly = patterns.flatMap((pattern, at) => (pattern.test(line) ? [at] : []));
      expect([...index.matching(line)]).toEqual(plainly);
      // Asked again, and after another one.
      expect([...index.matching(line)]).toEqual(plainly);
      expect(index.matching('nothing at all')).toEqual([]);
    }),
    { numRuns: 3000 },
  );
});

test('texts that an expression asks for', () => {
  const texts = (source: string): [string, boolean][] =>
    literalsOf(source).map(({ text, isWhole }) => [text, isWhole]);
  expect(texts('BIOS-|Xen: ')).toEqual([
    ['BIOS-', true],
    ['Xen: ', true],
  ]);
  expect(texts(String.raw`efi: +(?:mem\d+: *\[|0x)`)).toEqual([
    ['efi: ', false],
    ['efi: ', false],
  ]);
  expect(texts('^ *(?:hotplug|late)')).toEqual([
    ['hotplug', false],
    ['late', false],
  ]);
  expect(texts('e820:? up')).toEqual([
    ['e820: up', true],
    ['e820 up', true],
  ]);
  expect(texts(String.raw`z/VM\.x{2}[^]]yes$`)).toEqual([['z/VM.', false]]);
  expect(() => literalsOf('a(b)')).toThrow('a group that is kept');
  expect(() => literalsOf('ab)')).toThrow('without a group');
  expect(() => new HintIndex(['abc'])).toThrow('has no text to look for');
});
