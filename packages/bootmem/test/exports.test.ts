/** What other programs open: traces, metrics, another root. */
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import type { BootReport } from '../dist/result.js';
import { run } from './helpers/run.js';

let folder: string;
let boot: BootReport;
let trace: string;
let metrics: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bootmem-'));
  const files = ['--trace', join(folder, 'trace.json'), '--metrics', join(folder, 'zones.txt')];
  const machine = ['--memory', '8G', '--nodes', '2', '--unaccepted', '2G', '--accept', 'eager'];
  const { code, out } = await run(['boot', ...machine, '--threads', '3', '--json', ...files]);
  expect(code).toBe(0);
  boot = JSON.parse(out) as BootReport;
  trace = await readFile(join(folder, 'trace.json'), 'utf8');
  metrics = await readFile(join(folder, 'zones.txt'), 'utf8');
});

afterAll(() => rm(folder, { recursive: true }));

/** "Trace Event Format": what each phase has to have. */
const EVENT = {
  type: 'object',
  required: ['name', 'ph', 'ts', 'pid', 'tid'],
  properties: {
    name: { type: 'string', minLength: 1 },
    cat: { type: 'string' },
    ph: { enum: ['X', 'i', 'M', 'C'] },
    ts: { type: 'number', minimum: 0 },
    dur: { type: 'number', minimum: 0 },
    pid: { type: 'integer' },
    tid: { type: 'integer' },
    s: { enum: ['g', 'p', 't'] },
    args: { type: 'object' },
  },
  additionalProperties: false,
  allOf: [
    { if: { properties: { ph: { const: 'X' } } }, then: { required: ['dur'] } },
    { if: { properties: { ph: { const: 'i' } } }, then: { required: ['s'] } },
    {
      if: { properties: { ph: { const: 'M' } } },
      then: {
        required: ['args'],
        properties: {
          name: { enum: ['process_name', 'thread_name'] },
          args: { required: ['name'], properties: { name: { type: 'string' } } },
        },
      },
    },
    {
      if: { properties: { ph: { const: 'C' } } },
      then: {
        required: ['args'],
        properties: { args: { additionalProperties: { type: 'number' } } },
      },
    },
  ],
};

describe('--trace', () => {
  interface Event {
    readonly name: string;
    readonly ph: string;
    readonly cat?: string;
    readonly ts: number;
    readonly dur: number;
    readonly tid: number;
    readonly args: { readonly pages: number };
  }
  const events = (): Event[] => (JSON.parse(trace) as { traceEvents: Event[] }).traceEvents;

  test('is a trace as its format describes it', () => {
    const validate = new Ajv({ strict: false }).compile({
      type: 'object',
      required: ['traceEvents'],
      properties: { displayTimeUnit: { enum: ['ms', 'ns'] }, traceEvents: { items: EVENT } },
      additionalProperties: false,
    });
    expect([validate(JSON.parse(trace)), validate.errors]).toEqual([true, null]);
  });

  test('holds every chunk on its thread, in time, and slices of a thread do not overlap', () => {
    const chunks = events().filter(({ cat }) => cat === 'chunk');
    expect(chunks).toHaveLength(boot.chunks.length);
    expect(boot.chunks.length).toBeGreaterThan(1);
    for (const [index, { thread, startMs, endMs, startPfn, endPfn }] of boot.chunks.entries()) {
      const one = chunks[index]!;
      expect(one.tid).toBe(thread);
      expect(one.args.pages).toBe(endPfn - startPfn);
      expect(one.ts / 1000).toBeCloseTo(boot.timing.threadStartMs + startMs, 2);
      expect(one.dur / 1000).toBeCloseTo(endMs - startMs, 2);
    }
    for (const tid of new Set(chunks.map((one) => one.tid))) {
      const own = events()
        .filter((one) => one.ph === 'X' && one.tid === tid)
        .sort((a, b) => a.ts - b.ts);
      for (const [index, one] of own.entries()) {
        const next = own[index + 1];
        if (next !== undefined) expect(next.ts).toBeGreaterThanOrEqual(one.ts + one.dur - 0.01);
      }
    }
  });

  test('starting threads comes before the boot, which begins where it ends', () => {
    const slice = (name: RegExp): Event => events().find((one) => name.test(one.name))!;
    const started = slice(/^start threads/);
    expect(slice(/^until the first/).ts).toBeCloseTo(started.ts + started.dur, 2);
    expect(slice(/^until the first/).dur / 1000).toBeCloseTo(boot.timing.firstAllocationMs, 2);
  });
});

/** A reader of OpenMetrics text, by its grammar: families in one piece, metadata first, `# EOF` last. */
function parseMetrics(text: string): Map<string, Map<string, number>> {
  const families = new Map<string, Map<string, number>>();
  const lines = text.split('\n');
  expect(lines.pop()).toBe('');
  expect(lines.pop()).toBe('# EOF');
  let open: string | undefined;
  let hasSamples = false;
  for (const line of lines) {
    const meta = /^# (TYPE|UNIT|HELP) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line);
    if (meta !== null) {
      const [, kind, name, rest] = meta;
      if (kind === 'TYPE') {
        expect(rest).toMatch(/^(?:unknown|gauge|counter|stateset|info|histogram|summary)$/);
        expect(families.has(name!)).toBe(false);
        families.set(name!, new Map());
        open = name;
        hasSamples = false;
      }
      expect([line, name, hasSamples]).toEqual([line, open, false]);
      // A family with a unit ends with it.
      if (kind === 'UNIT') expect(name!.endsWith(`_${rest}`)).toBe(true);
      continue;
    }
    const label = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\[\\\\"n])*"';
    const sample = new RegExp(
      `^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\\{(${label}(?:,${label})*)?\\})? (-?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?)$`,
    ).exec(line);
    expect([line, sample === null]).toEqual([line, false]);
    const [, name, labels = '', value] = sample!;
    expect([line, name]).toEqual([line, open]);
    expect(families.get(name!)!.has(labels)).toBe(false);
    families.get(name!)!.set(labels, Number(value));
    hasSamples = true;
  }
  return families;
}

describe('--metrics', () => {
  test('is OpenMetrics text with every zone, mark and free block of the boot', () => {
    const families = parseMetrics(metrics);
    const memory = families.get('bootmem_zone_memory_bytes')!;
    const marks = families.get('bootmem_zone_watermark_bytes')!;
    const blocks = families.get('bootmem_zone_free_blocks')!;
    expect(memory.size).toBe(boot.zones.length * 5);
    for (const zone of boot.zones) {
      const labels = `node="${zone.nid}",zone="${zone.name}"`;
      expect(memory.get(`${labels},state="managed"`)).toBe(zone.managedPages * 4096);
      expect(memory.get(`${labels},state="unaccepted"`)).toBe(zone.unacceptedPages * 4096);
      expect(marks.get(`${labels},mark="low"`)).toBe(zone.low * 4096);
      const largest = zone.freeBlocksByType['Movable']!.length - 1;
      expect(blocks.get(`${labels},order="${largest}",type="Movable"`)).toBe(
        zone.freeBlocksByType['Movable']![largest],
      );
    }
    const times = families.get('bootmem_boot_seconds')!;
    expect(times.get('until="end"')).toBeCloseTo(boot.timing.totalMs / 1000, 9);
  });
});

test('an export that cannot be written is refused before the boot, and leaves nothing', async () => {
  const nowhere = join(folder, 'no', 'trace.json');
  const { code, err, out } = await run(['boot', '--trace', nowhere]);
  expect([code, out]).toEqual([1, '']);
  expect(err).toContain(`cannot write ${nowhere}`);
});

describe('--sysroot', () => {
  // An sosreport: four blocks of 1 GiB, the last two of node 1, one of them offline.
  const blocks = [
    { state: 'online', zones: 'DMA32', node: 0 },
    { state: 'online', zones: 'Normal', node: 0 },
    { state: 'online', zones: 'Movable', node: 1 },
    { state: 'offline', zones: 'Normal Movable', node: 1 },
  ];

  beforeAll(async () => {
    const memory = join(folder, 'sos', 'sys/devices/system/memory');
    await mkdir(memory, { recursive: true });
    await mkdir(join(folder, 'sos/proc'));
    await writeFile(join(memory, 'block_size_bytes'), '40000000\n');
    await writeFile(join(memory, 'auto_online_blocks'), 'offline\n');
    for (const [index, { state, zones, node }] of blocks.entries()) {
      const block = join(memory, `memory${index}`);
      await mkdir(block);
      await writeFile(join(block, 'state'), `${state}\n`);
      await writeFile(join(block, 'valid_zones'), `${zones}\n`);
      await symlink(`../../node/node${node}`, join(block, `node${node}`));
    }
    await cp(
      new URL('../samples/k61-4n-odd/zoneinfo.txt', import.meta.url),
      join(folder, 'sos/proc/zoneinfo'),
    );
    await writeFile(
      join(folder, 'sos/proc/iomem'),
      '00001000-0009ffff : System RAM\n00100000-bfffffff : System RAM\n',
    );
    await writeFile(join(folder, 'sos/proc/version'), 'Linux version 6.1.0-50-amd64 (u@h) #1\n');
  });

  test('lsmem reads blocks, their states, zones and nodes from the folder', async () => {
    const sos = join(folder, 'sos');
    const { code, out } = await run(['lsmem', '--sysroot', sos, '--json']);
    expect(code).toBe(0);
    const { ranges, onlineBytes, offlineBytes, blockBytes } = JSON.parse(out) as {
      ranges: { online: boolean; nid: number; zones: string[] }[];
      [name: string]: unknown;
    };
    expect([blockBytes, onlineBytes, offlineBytes]).toEqual([2 ** 30, 3 * 2 ** 30, 2 ** 30]);
    expect(ranges.map(({ online, nid, zones }) => [online, nid, zones[0]])).toEqual([
      [true, 0, 'DMA32'],
      [true, 0, 'Normal'],
      [true, 1, 'Movable'],
      [false, 1, 'Normal'],
    ]);
  });

  test('a folder that describes no memory, and two sources at once, are refused', async () => {
    const nothing = await run(['lsmem', '--sysroot', join(folder, 'no')]);
    expect([nothing.code, nothing.out]).toEqual([2, '']);
    expect(nothing.err).toContain('could be read under');
    const both = await run(['lsmem', 'x.txt', '--sysroot', folder]);
    expect(both.code).toBe(2);
    expect(both.err).toMatch(/give one of FILE, --memory, --this-machine, --sysroot/);
  });
});
