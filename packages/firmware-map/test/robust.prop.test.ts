import { test } from '@jest/globals';
import fc from 'fast-check';
import { expect } from '@jest/globals';
import {
  createReader,
  fromJson,
  parseDescription,
  parseMemoryOptions,
  toJson,
} from '@bootmem/firmware-map';
import { deriveMemory } from '@bootmem/firmware-map/derive';
import { fixture } from './helpers.js';

const LINES = [
  'x86-2n.dmesg',
  'x86-2.6.dmesg',
  'arm64.dmesg',
  'zoneinfo.txt',
  'pagetypeinfo.txt',
  'nodes.txt',
  'iomem.txt',
].flatMap((name) => fixture(name).split('\n'));

const oddLine = fc.oneof(
  fc.constantFrom(...LINES),
  fc.constantFrom(...LINES).chain((line) => fc.nat(line.length).map((cut) => line.slice(0, cut))),
  fc.string({ unit: 'binary' }),
);
const oddText = fc.array(oddLine, { maxLength: 40 }).map((lines) => lines.join('\n'));

test('any text is read or refused with a reason, and what is read survives JSON', () => {
  fc.assert(
    fc.property(oddText, (text) => {
      const read = parseDescription(text);
      if (read.ok) {
        const json = toJson(read.description);
        const again = fromJson(json);
        expect(again.ok && toJson(again.description)).toBe(json);
        deriveMemory(read.description);
      } else
        expect(
          read.problems.some(({ severity, message }) => severity === 'error' && message !== ''),
        ).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('how the input is cut makes no difference', () => {
  fc.assert(
    fc.property(
      oddText,
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
      (text, sizes) => {
        const bytes = new TextEncoder().encode(text);
        const reader = createReader();
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = sizes[turn % sizes.length]!;
          reader.push(bytes.subarray(at, at + size));
          at += size;
        }
        expect(reader.finish()).toEqual(parseDescription(bytes));
      },
    ),
    { numRuns: 300 },
  );
});

test('any bytes are read or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4000 }), (bytes) => {
      expect(parseDescription(bytes)).toHaveProperty('ok');
    }),
    { numRuns: 300 },
  );
});

test('any command line gives options that are numbers where they should be', () => {
  const word = fc
    .tuple(
      fc.constantFrom(
        'mem',
        'memmap',
        'kernelcore',
        'numa',
        'crashkernel',
        'hugepages',
        'hugepagesz',
        'log_buf_len',
        '__proto__',
        'constructor',
      ),
      fc.string(),
    )
    .map(([name, value]) => `${name}=${value}`);
  fc.assert(
    fc.property(fc.array(word), (words) => {
      const { options } = parseMemoryOptions(words.join(' '));
      for (const { size, start } of options.memmap)
        expect(Number.isSafeInteger((size ?? 0) + (start ?? 0))).toBe(true);
      expect(options.mem === undefined || options.mem > 0).toBe(true);
    }),
    { numRuns: 500 },
  );
});
