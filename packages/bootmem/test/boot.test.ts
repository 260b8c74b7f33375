import { setImmediate } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { synthesize } from '@bootmem/firmware-map';
import { bootMemory, BootmemError, loadMachine } from '../dist/index.js';
import type { BootEvent } from '../dist/index.js';
import { FIXTURES } from './helpers/run.js';

const sample = await loadMachine(undefined);

test('final buddyinfo is the same for 1, 2 and 3 threads, and when everything is initialised first', async () => {
  const texts: string[] = [];
  for (const options of [
    { threads: 1 },
    { threads: 2 },
    { threads: 3 },
    { threads: 1, mode: 'eager' as const },
  ]) {
    const machine = await bootMemory(sample.description, options);
    texts.push(machine.buddyinfo());
    await machine.close();
  }
  expect(texts[0]).toContain('Node 3, zone   Normal');
  expect(new Set(texts).size).toBe(1);
});

test('managed pages are those that the kernel had after deferred initialisation', async () => {
  // snap_P7_zones of the recorded boot, less the SMP alternatives (9 pages of node 0 DMA32).
  const machine = await bootMemory(sample.description);
  const managed = machine
    .report()
    .zones.map((zone) => `${zone.nid} ${zone.name} ${zone.managedPages}`);
  await machine.close();
  expect(managed).toEqual([
    '0 DMA 3840',
    '0 DMA32 752265',
    '0 Normal 52883',
    '1 Normal 195734',
    '2 Normal 378518',
    '3 Normal 540870',
  ]);
});

test('every page of a small machine can be allocated once, and given back', async () => {
  const { description } = await loadMachine(`${FIXTURES}k61-1n-128m`);
  const machine = await bootMemory(description, { threads: 1 });
  const before = machine.buddyinfo();
  const free = machine.report().zones.reduce((sum, zone) => sum + zone.freePages, 0);
  const seen = new Set<number>();
  for (;;) {
    const pfn = machine.allocPages(0, { migratetype: 1, memalloc: true });
    if (pfn === undefined) break;
    expect(seen.has(pfn)).toBe(false);
    seen.add(pfn);
  }
  expect(seen.size).toBe(free);
  for (const pfn of seen) machine.freePages(pfn, 0);
  expect(machine.buddyinfo()).toBe(before);
  await machine.close();
});

test('on demand: the first section of each node is ready, the rest comes when allocations need it', async () => {
  const description = synthesize({ memory: '4G' });
  const machine = await bootMemory(description, { mode: 'on-demand', threads: 1 });
  const before = machine.report();
  expect(before.growth?.leftPages).toBeGreaterThan(200_000);
  const blocks: number[] = [];
  for (let count = 0; count < 900; count++) {
    const pfn = machine.allocPages(10, { migratetype: 1 });
    if (pfn === undefined) break;
    blocks.push(pfn);
  }
  expect(blocks.length).toBeGreaterThan(800);
  expect(new Set(blocks).size).toBe(blocks.length);
  const after = machine.report();
  expect(after.growth?.grows).toBeGreaterThan(0);
  expect(after.growth!.leftPages).toBeLessThan(before.growth!.leftPages);
  for (const pfn of blocks) machine.freePages(pfn, 10);
  await machine.close();
});

test('events: phases in order, log lines as in the report, pages up to the total', async () => {
  const events: BootEvent[] = [];
  const machine = await bootMemory(sample.description, {
    threads: 2,
    onProgress: (event) => events.push(event),
  });
  const report = machine.report();
  await machine.close();
  const phases = events.flatMap((event) => (event.kind === 'phase' ? [event.phase] : []));
  expect(phases).toEqual(['layout', 'early', 'first-allocation', 'deferred', 'done']);
  const lines = events.flatMap((event) => (event.kind === 'log' ? [event.line] : []));
  expect(report.log).toEqual(lines);
  for (const nid of [0, 1, 2, 3]) {
    expect(lines.some((line) => line.includes(`node ${nid} deferred pages initialised in`))).toBe(
      true,
    );
  }
  const pages = events.flatMap((event) => (event.kind === 'pages' ? [event] : []));
  expect(pages.at(-1)).toMatchObject({ done: 970_885, total: 970_885 });
});

test('thread shares and chunks account for the deferred part', async () => {
  const machine = await bootMemory(synthesize({ memory: '16G', nodes: 2, cpus: 4 }), {
    threads: 2,
  });
  const report = machine.report();
  await machine.close();
  expect(report.threads.reduce((sum, thread) => sum + thread.share, 0)).toBeCloseTo(1, 10);
  expect(report.chunks).toHaveLength(
    report.threads.reduce((sum, thread) => sum + thread.chunks, 0),
  );
  for (const chunk of report.chunks) {
    expect(chunk.endPfn).toBeGreaterThan(chunk.startPfn);
    expect(chunk.endMs).toBeGreaterThanOrEqual(chunk.startMs);
  }
});

test('device memory of the map is initialised after boot; its zone spans it, holds no managed page', async () => {
  const description = synthesize({ memory: '2G', persistent: '1G' });
  const machine = await bootMemory(description, { threads: 2 });
  const reports = await machine.devicesReady();
  expect(reports).toHaveLength(1);
  const pages = reports[0]!.endPfn - reports[0]!.startPfn;
  expect(pages).toBe(262_144);
  const zone = machine.report().zones.find((candidate) => candidate.name === 'Device');
  expect(zone).toMatchObject({ spannedPages: pages, presentPages: 0, managedPages: 0 });
  expect(machine.devices.mappings[0]!.isReady(reports[0]!.startPfn)).toBe(true);
  await machine.close();
});

test('lazy acceptance leaves most units alone, eager takes all; allocating accepts more', async () => {
  const description = synthesize({ memory: '4G', unaccepted: '3G' });
  const lazy = await bootMemory(description, { threads: 2, accept: 'lazy' });
  const before = lazy.report().unaccepted!;
  expect(before.acceptedUnits).toBeLessThan(before.totalUnits / 2);
  const blocks: number[] = [];
  for (let count = 0; count < 700; count++) blocks.push(lazy.allocPages(10, { migratetype: 1 })!);
  const after = lazy.report().unaccepted!;
  expect(after.acceptedUnits).toBeGreaterThan(before.acceptedUnits);
  expect(after.timeline.length).toBeGreaterThan(2);
  for (const pfn of blocks) lazy.freePages(pfn, 10);
  await lazy.close();
  const eager = await bootMemory(description, { threads: 2, accept: 'eager' });
  const all = eager.report().unaccepted!;
  expect(all.acceptedUnits).toBe(all.totalUnits);
  await eager.close();
});

test('an abort rejects with a code and ends the threads', async () => {
  const abort = new AbortController();
  const promise = bootMemory(synthesize({ memory: '64G' }), {
    threads: 2,
    signal: abort.signal,
    onProgress: (event) => {
      if (event.kind === 'phase' && event.phase === 'deferred') abort.abort();
    },
  });
  await expect(promise).rejects.toMatchObject({ code: 'ERR_BOOTMEM_ABORTED' });
});

test('options out of range and machines without memory are refused before anything starts', async () => {
  const { description } = sample;
  await expect(bootMemory(description, { threads: 0 })).rejects.toMatchObject({
    code: 'ERR_BOOTMEM_USAGE',
  });
  await expect(bootMemory(description, { threads: 1.5 })).rejects.toMatchObject({
    code: 'ERR_BOOTMEM_USAGE',
  });
  await expect(bootMemory(description, { mode: 'x' as 'eager' })).rejects.toMatchObject({
    code: 'ERR_BOOTMEM_USAGE',
  });
  const empty = {
    ...description,
    firmware: { ...description.firmware, map: [], user: [] },
    printed: { ...description.printed, earlyRanges: [] },
    memblock: { dumps: [], operations: [] },
    proc: {},
  };
  await expect(bootMemory(empty)).rejects.toMatchObject({ code: 'ERR_BOOTMEM_NO_MEMORY_MAP' });
});

test('a machine that was closed refuses work; closing twice is fine', async () => {
  const machine = await bootMemory(synthesize({ memory: '256M' }), { threads: 1 });
  await machine.close();
  await machine.close();
  expect(() => machine.allocPages(0)).toThrow(BootmemError);
  expect(() => machine.report()).toThrow(/closed/);
});

test('await using ends the machine', async () => {
  let kept;
  {
    await using machine = await bootMemory(synthesize({ memory: '256M' }), { threads: 1 });
    kept = machine;
    expect(machine.memblock.startOfDram).toBeGreaterThan(0);
    expect(machine.log.length).toBeGreaterThan(5);
    expect(machine.plan.layout.nodes).toHaveLength(1);
  }
  expect(() => kept.report()).toThrow(/closed/);
});

test('a boot in which nothing can be allocated rejects once, and leaves no rejection that nobody hears', async () => {
  const unheard: unknown[] = [];
  const hear = (reason: unknown): void => void unheard.push(reason);
  process.on('unhandledRejection', hear);
  const base = synthesize({ memory: '8G' });
  // All that comes before the deferred part is in use.
  const description = {
    ...base,
    memblock: {
      ...base.memblock,
      dumps: [
        {
          line: 1,
          complete: true,
          physmem: [],
          counts: {},
          memory: [{ line: 2, start: 0x1000, end: 8 * 2 ** 30, flags: 0, nid: 0 }],
          reserved: [{ line: 3, start: 0x1000, end: 8 * 2 ** 30 - 2 ** 21, flags: 0 }],
        },
      ],
    },
  } as unknown as typeof base;
  try {
    await expect(bootMemory(description, { threads: 1 })).rejects.toMatchObject({
      code: 'ERR_BOOTMEM_INIT',
    });
    await setImmediate();
    expect(unheard).toEqual([]);
  } finally {
    process.off('unhandledRejection', hear);
  }
});
