import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe as group, expect, test } from '@jest/globals';
import {
  DESCRIPTION_SCHEMA,
  fromJson,
  parseDescription,
  synthesize,
  toJson,
} from '@bootmem/firmware-map';
import type { MachineDescription } from '@bootmem/firmware-map';
import { atOnce } from '../dist/base/steps.js';
import { linesOfPaths } from '../dist/json/json-locate.js';
import { describe, fixture } from './helpers.js';

const FIXTURES = [
  'x86-2n.dmesg',
  'x86-2.6.dmesg',
  'x86-7.x.dmesg',
  'x86-user-pmem.dmesg',
  'arm64.dmesg',
  'ppc64.dmesg',
  'riscv.dmesg',
  'i386.dmesg',
  'xen.dmesg',
  'tdx-unaccepted.dmesg',
  'zoneinfo.txt',
  'pagetypeinfo.txt',
  'nodes.txt',
  'iomem.txt',
  'firmware_memmap.txt',
];

/** Stands for "take it away". */
const GONE = Symbol('gone');

// What reading says after the value at `path` of a good description was replaced.
function damaged(
  path: readonly (string | number)[],
  replacement: unknown,
): ReturnType<typeof fromJson> {
  const top = JSON.parse(toJson(synthesize({ memory: '1G' }))) as unknown;
  let at = top as Record<string | number, unknown>;
  for (const step of path.slice(0, -1)) at = at[step] as Record<string | number, unknown>;
  const last = path.at(-1)!;
  if (replacement === GONE) Reflect.deleteProperty(at, last);
  else at[last] = replacement;
  return fromJson(JSON.stringify(top, undefined, 1));
}

group('JSON', () => {
  test('the published schema is the one that is checked', () => {
    const path = fileURLToPath(
      new URL('../schema/machine-description.schema.json', import.meta.url),
    );
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(DESCRIPTION_SCHEMA);
  });

  test.each(FIXTURES)('%s survives the way through JSON', (name) => {
    const description = describe(fixture(name));
    expect(fromJson(toJson(description))).toEqual({ ok: true, description });
    expect(parseDescription(toJson(description))).toEqual({ ok: true, description });
  });

  test.each<[string, string, number]>([
    ['cut off', '{"schema": "bootmem/machine-description",\n "version"', 2],
    ['something else', '{"schema": "x"}', 1],
    ['a newer version', '{"schema": "bootmem/machine-description", "version": 2}', 1],
    ['no object', 'null', 1],
  ])('%s is refused on its line', (_, text, line) => {
    const read = fromJson(text);
    expect(read).toEqual({
      ok: false,
      problems: [expect.objectContaining({ severity: 'error', line })],
    });
  });

  test.each<[string, (string | number)[], unknown, RegExp]>([
    ['a missing field', ['cpus'], GONE, /"cpus" is missing/],
    ['an unknown field', ['colour'], 'red', /colour: is not known/],
    ['a wrong type', ['firmware', 'map'], {}, /expected an array/],
    ['text for a number', ['firmware', 'map', 0, 'start'], '0', /expected an integer/],
    ['a negative number', ['firmware', 'map', 0, 'start'], -1, /expected an integer/],
    ['a number for text', ['firmware', 'map', 0, 'text'], 1, /expected a string/],
    ['a number for a flag', ['options', 'movableNode'], 1, /expected a boolean/],
    ['an unknown kind', ['firmware', 'map', 0, 'kind'], 'soft', /expected one of usable/],
    ['a list for an object', ['cpus'], [], /expected an object/],
    ['an amount of neither form', ['options', 'kernelcore'], { bytes: 1, percent: 1 }, /fits none/],
    ['a part of more than all', ['options', 'kernelcore'], { percent: 101 }, /fits none/],
    [
      'nodes faked, none of them',
      ['options', 'numa'],
      [{ mode: 'fake', text: '0', count: 0, uniform: false }],
      /fits none/,
    ],
    [
      'nodes faked of no size',
      ['options', 'numa'],
      [{ mode: 'fake', text: '0M', size: 0 }],
      /fits none/,
    ],
    [
      'a node too high',
      ['numa', 'blocks'],
      [{ nid: 1024, start: 0, end: 1, line: 0 }],
      /0 to 1023/,
    ],
    [
      'a range turned around',
      ['numa', 'blocks'],
      [{ nid: 0, start: 2, end: 1, line: 0 }],
      /ends at 1/,
    ],
    [
      'counts that are no numbers',
      ['proc', 'meminfo'],
      { Total: 'x' },
      /meminfo\/Total: expected an/,
    ],
  ])('%s is refused by name', (_, path, replacement, reason) => {
    const read = damaged(path, replacement);
    expect(read.ok).toBe(false);
    expect(!read.ok && read.problems[0]!.message).toMatch(reason);
    expect(!read.ok && read.problems[0]!.line).toBeGreaterThan(0);
  });

  test('a complaint carries the line of the value', () => {
    const description: MachineDescription = synthesize({ memory: '1G' });
    const text = toJson(description).replace('"kind": "acpi-data"', '"kind": "acpi \\"data"');
    const line = text.slice(0, text.indexOf('acpi \\"data')).split('\n').length;
    expect(fromJson(text)).toEqual({
      ok: false,
      problems: [
        expect.objectContaining({
          line,
          message: expect.stringMatching(/^\/firmware\/map\/4\/kind/),
        }),
      ],
    });
  });

  test('of many bad ranges the first are listed with their lines, and the last is named', () => {
    const machine = synthesize({ memory: '1G' });
    const entry = machine.firmware.map[0]!;
    const bad = Array.from({ length: 500 }, (_, index) => ({
      ...entry,
      start: 2 ** 20 + index,
      end: 4096,
    }));
    const text = toJson({ ...machine, firmware: { ...machine.firmware, map: [entry, ...bad] } });
    const lines = text.split('\n');
    const map = lines.indexOf('    "map": [');
    const begins = lines.flatMap((line, index) =>
      index > map && line === '      {' ? [index + 1] : [],
    );
    const read = fromJson(text);
    const problems = read.ok ? [] : read.problems;
    expect(problems.map(({ line }) => line)).toEqual([...begins.slice(1, 21), begins[500]]);
    expect(problems.at(-1)!.message).toBe(
      `480 more of this kind, the last on line ${begins[500]!}`,
    );
  });

  test('lines of many paths are those of one at a time, where names repeat or lead nowhere too', () => {
    const text = '{"a": [1,\n [2, {"b\\"": 3,\n "c": []}],\n "x]"],\n "d": {\n "0": 5, "e": {}}}';
    const paths: [(string | number)[], number][] = [
      [[], 1],
      [['a', 1, 1, 'c'], 3],
      [['a', 2], 4],
      [['d', '0'], 6],
      [['d', 'e', 'nothing', 3], 6],
      [['a', 7], 1],
      [['a', 1, 1, 'b"'], 2],
    ];
    for (const [path, line] of paths) expect(atOnce(linesOfPaths(text, [path]))).toEqual([line]);
    const reversed = paths.toReversed();
    expect(
      atOnce(
        linesOfPaths(
          text,
          reversed.map(([path]) => path),
        ),
      ),
    ).toEqual(reversed.map(([, line]) => line));
  });

  test('complaints are bounded', () => {
    const read = damaged(['firmware', 'map'], new Array(1000).fill(5));
    expect(!read.ok && read.problems.length).toBe(20);
  });
});
