import { expect, test } from '@jest/globals';
import {
  UnacceptedMemory,
  acceptReport,
  formatAcceptReport,
  meminfoLine,
  vmstatLine,
} from '@bootmem/unaccepted-memory';
import { createNoneBackend, createTdxModel } from '@bootmem/unaccepted-memory/platform';

const M = 1024 * 1024;

test('the lines of /proc stand in the columns of their neighbours', () => {
  expect(meminfoLine(0)).toBe('Unaccepted:            0 kB');
  expect(meminfoLine(1234567 * 1024)).toBe('Unaccepted:      1234567 kB');
  expect(meminfoLine(123456789 * 1024)).toBe('Unaccepted:     123456789 kB');
  // As long as the line of free memory.
  expect(meminfoLine(1234567 * 1024)).toHaveLength('MemFree:         1234567 kB'.length);
  expect(meminfoLine(4096 * 1024, 3)).toBe('Node 3 Unaccepted:         4096 kB');
  expect(vmstatLine(77)).toBe('nr_unaccepted 77');
});

test('the report has bytes by state, runs and a map of units', () => {
  const backend = createTdxModel({ refuse: [{ start: 70 * M, end: 71 * M }] });
  const memory = UnacceptedMemory.create({ ranges: [{ start: 64 * M, end: 208 * M }], backend });
  memory.acceptExactly(64 * M, 4 * M);
  expect(() => memory.acceptExactly(70 * M, 4096)).toThrow('could not accept');
  const report = acceptReport(memory);
  expect(report).toMatchObject({
    start: 64 * M,
    end: 208 * M,
    unitSize: 2 * M,
    bytes: { accepted: 4 * M, accepting: 0, interrupted: 2 * M, unaccepted: 138 * M },
  });
  expect(formatAcceptReport(report)).toBe(
    [
      '[mem 0x0000000004000000-0x00000000043fffff] accepted',
      '[mem 0x0000000004400000-0x00000000045fffff] unaccepted',
      '[mem 0x0000000004600000-0x00000000047fffff] interrupted',
      '[mem 0x0000000004800000-0x000000000cffffff] unaccepted',
      `0x0000000004000000: ..U!${'U'.repeat(60)}`,
      `0x000000000c000000: ${'U'.repeat(8)}`,
      'Unaccepted:       141312 kB',
      'nr_unaccepted 35328',
      '',
    ].join('\n'),
  );
});

test('a report while a unit is being accepted', () => {
  const texts: string[] = [];
  const backend = {
    ...createNoneBackend(),
    accept: () => {
      texts.push(formatAcceptReport(acceptReport(memory)));
    },
  };
  const memory: UnacceptedMemory = UnacceptedMemory.create({
    ranges: [{ start: 0, end: 16 * M }],
    backend,
  });
  memory.acceptExactly(2 * M, 2 * M);
  expect(texts).toHaveLength(1);
  expect(texts[0]).toContain('[mem 0x0000000000200000-0x00000000003fffff] accepting');
  expect(texts[0]).toContain('0x0000000000000000: UaUUUUUU');
});
