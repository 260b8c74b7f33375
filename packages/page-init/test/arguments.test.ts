// Arguments that are not what a signature says: a coded error before anything is read, wherever they come in.
import { Memmap } from '@bootmem/memmap';
import {
  createInlineRunner,
  createDeferredNodes,
  DeferredNode,
  initDeferred,
  initEarly,
  PageInitError,
  planInit,
  releaseEarly,
} from '@bootmem/page-init';
import { DeviceMemory, MemoryHotplug } from '@bootmem/page-init/device';
import { expect, test } from '@jest/globals';

const JUNK = [undefined, null, 0, -1, 1.5, NaN, 2 ** 53, 'text', true, [], {}, () => 1] as never[];

const plan = planInit({
  memory: [{ startPfn: 0x100000, endPfn: 0x140000, nid: 0 }],
  reserved: [],
  zones: [{ nid: 0, zoneIndex: 2, startPfn: 0x100000, endPfn: 0x140000 }],
});
const memmap = Memmap.create({ ranges: plan.sections, maxPfn: 0x200000 });
const sink = { freeBlocks: (start: number, end: number): number => end - start };
const nodes = createDeferredNodes(plan, memmap, { sink, threadId: 1 });
const devices = new DeviceMemory({ memmap, memory: plan.sections });
const runner = createInlineRunner(() => undefined);
const { profile } = plan;

const entries: readonly (readonly [string, (junk: never) => unknown])[] = [
  ['planInit', (junk) => planInit(junk)],
  [
    'planInit, its lists',
    (junk) => planInit({ memory: [], reserved: [], zones: { junk } as never }),
  ],
  ['initEarly, the plan', (junk) => initEarly(junk, memmap)],
  ['initEarly, the memmap', (junk) => initEarly(plan, junk)],
  ['releaseEarly', (junk) => releaseEarly(plan, junk)],
  ['DeferredNode.attach', (junk) => DeferredNode.attach(nodes[0]!.toHandle(), junk)],
  [
    'DeferredNode.attach, the handle',
    (junk) => DeferredNode.attach(junk, { memmap, sink, threadId: 2 }),
  ],
  ['initDeferred, the options', (junk) => initDeferred(nodes, junk)],
  ['new DeviceMemory', (junk) => new DeviceMemory(junk)],
  ['memremapPages', (junk) => devices.memremapPages(junk)],
  ['memremapPagesAsync', (junk) => devices.memremapPagesAsync(junk)],
  ['release', (junk) => devices.release(junk)],
  ['new MemoryHotplug', (junk) => new MemoryHotplug(junk)],
];

test.each(entries)('%s refuses junk with a code', async (_name, call) => {
  for (const junk of JUNK) {
    const outcome = await Promise.resolve(junk)
      .then(call)
      .then(
        () => 'no error',
        (error: unknown) => error,
      );
    expect({ junk, outcome }).toEqual({ junk, outcome: expect.any(PageInitError) });
    expect((outcome as PageInitError).code).toMatch(/^ERR_(PAGE_INIT|DEVICE)_(ARGUMENT|HANDLE)$/);
  }
});

test('a list of nodes that is none is refused; after all of this nothing has changed', async () => {
  for (const junk of JUNK.filter((value) => !Array.isArray(value))) {
    await expect(initDeferred(junk, { profile, runner })).rejects.toMatchObject({
      code: 'ERR_PAGE_INIT_ARGUMENT',
    });
  }
  expect(devices.mappedRanges).toBe(0);
  expect(nodes[0]!.counts().pages).toBe(0);
});
