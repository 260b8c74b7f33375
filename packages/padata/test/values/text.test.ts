// Text in bytes: what is read is what was written, unit by unit, in the ways of Node and of browsers.
import { expect, test } from '@jest/globals';
import * as browser from '../../dist/text/text.browser.js';
import * as node from '../../dist/text/text.node.js';
import { readUnits, TextForm, writeUnits } from '../../dist/text/text-form.js';
import { Random } from '../../../../tools/kit/random.mjs';

const ALPHABETS = [
  ['a', 'Z', '0', '\u0000', '\u007f'],
  ['a', '\u0080', '\u009f', '\u00e9', '\u00ff'],
  ['a', '\u0100', '\u4e2d', '\ufeff', '\uffff', '\u{1f600}'],
  ['a', '\ud800', '\udfff', '\udc00\ud800', '\u{1f600}', '\u00e9'],
];
const LENGTHS = [0, 1, 2, 11, 12, 13, 24, 25, 48, 1023, 1024, 1025, 2049, 70_000];

function* texts(): Generator<string> {
  const random = new Random(7);
  for (const alphabet of ALPHABETS) {
    for (const length of LENGTHS) {
      let text = '';
      while (text.length < length) text += random.pick(alphabet);
      yield text;
      // One unit of the next alphabet at the very end: what only the beginning tells is not enough.
      yield `${text.slice(1)}\u4e2d`;
    }
  }
}

for (const [name, codec] of [
  ['Node', node],
  ['browsers', browser],
] as const) {
  test.each([
    ['shared memory', (n: number) => new SharedArrayBuffer(n)],
    ['memory of its own', (n: number) => new ArrayBuffer(n)],
  ])(
    `${name}: every text comes back from %s, and nothing beside it is touched`,
    (_what, memory) => {
      for (const text of texts()) {
        const form = codec.formOf(text);
        const room = codec.bytesOf(text, form);
        for (const offset of [0, 3]) {
          const bytes = codec.textBytes(memory(room + 16), 1, room + 12) as Buffer;
          bytes.fill(0xa5);
          const end = codec.writeText(bytes, text, offset, form);
          expect(end - offset).toBeLessThanOrEqual(room);
          const read = codec.readText(bytes, offset, end - offset, form);
          // Not toBe: a text of 70 000 wrong units is no message.
          expect([read.length, read === text]).toEqual([text.length, true]);
          expect([...bytes.subarray(0, offset)].every((b) => b === 0xa5)).toBe(true);
          if (form !== TextForm.UTF8) {
            expect([...bytes.subarray(end)].every((b) => b === 0xa5)).toBe(true);
          }
        }
      }
    },
  );
}

test('unit by unit, as where there is no encoder for all at once', () => {
  for (const text of texts()) {
    const form = node.formOf(text);
    const bytes = new Uint8Array(text.length * 2 + 1);
    const end = writeUnits(bytes, text, 1, form);
    expect(readUnits(bytes, 1, end - 1, form) === text).toBe(true);
  }
});

test('a text of one byte a unit takes one byte a unit, also where it was cut out of a wider one', () => {
  const wide = `\u4e2d${'a'.repeat(100)}`;
  expect(node.bytesOf(wide, node.formOf(wide))).toBe(202);
  expect(node.bytesOf(wide.slice(1), node.formOf(wide.slice(1)))).toBe(100);
  const long = 'a'.repeat(100);
  expect(browser.formOf(long)).toBe(TextForm.UTF8);
  expect(browser.bytesOf(long, browser.formOf(long))).toBe(100);
  // A half of a pair is nothing that UTF-8 can say.
  expect(browser.formOf(`${long}\ud800`)).toBe(TextForm.UTF16);
  expect(browser.formOf(`${'\u00e9'.repeat(5)}\ud800`)).toBe(TextForm.UTF16);
});
