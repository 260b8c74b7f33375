/** Every word of what comes over `postMessage`, changed: an error with a code, or an object whose every call ends. */
import { describe, expect, test } from '@jest/globals';
import { Memmap } from '@bootmem/memmap';
import { coded as failsWith, damage, ODD_VALUES } from '../../../tools/kit/damage.mjs';
import { createDeferredNodes, DeferredNode } from '@bootmem/page-init';
import { DeviceInit, DeviceMemory } from '@bootmem/page-init/device';
import { memmapFor, SECTION, TINY, tinyPlan } from './machines.js';

const coded = (text: string, body: () => void): string =>
  failsWith(/^ERR_(PAGE_INIT|DEVICE|MEMMAP|LOCK)_/, text, body);

const valuesOf = (): readonly number[] => ODD_VALUES;

describe('damaged words', () => {
  test('of a deferred node: refused, or every call ends', () => {
    let refused = 0;
    const memory = [
      { startPfn: 0, endPfn: 4 * SECTION, nid: 0 },
      { startPfn: 5 * SECTION, endPfn: 8 * SECTION, nid: 0 },
    ];
    const plan = tinyPlan({ memory });
    // Whatever is damaged: only free pages of the node are handed over.
    const own = (pfn: number): boolean =>
      memory.some(({ startPfn, endPfn }) => pfn >= startPfn && pfn < endPfn);
    const sink = {
      freeBlocks: (start: number, end: number): number => {
        expect([own(start), own(end - 1)]).toEqual([true, true]);
        return end - start;
      },
    };
    const made = createDeferredNodes(plan, memmapFor(plan), { sink, threadId: 1 })[0]!.toHandle();
    const handle = { ...made, buffer: (made.buffer as SharedArrayBuffer).slice(0) };
    damage(handle.buffer, valuesOf, (text) => {
      const memmap = memmapFor(plan);
      const code = coded(text, () => {
        const node = DeferredNode.attach(handle, { memmap, sink, threadId: 2 });
        for (const call of [
          (): unknown => node.rangesIn(node.startPfn, node.endPfn),
          (): unknown => node.counts(),
          (): unknown => node.firstDeferredPfn,
          (): unknown => node.initChunk(node.startPfn, node.endPfn),
          // A lock that is held for ever is waited for a second, once is enough.
          (): unknown => (/^word 16 is (?!-1,)/.test(text) ? 0 : node.grow(0)),
        ]) {
          coded(`${text}: ${call.toString()}`, () => void call());
        }
      });
      if (code !== 'none') refused += 1;
    });
    expect(refused).toBeGreaterThan(20);
  });

  test('of a device range: refused, or every call ends', () => {
    let refused = 0;
    const create = (): Memmap =>
      Memmap.create({
        ranges: [{ startPfn: 0, endPfn: SECTION }],
        geometry: TINY,
        maxPfn: 64 * SECTION,
        storage: 'shared',
      });
    const memmap = create();
    const made = new DeviceMemory({ memmap, memory: [{ startPfn: 0, endPfn: SECTION }] })
      .memremapPages({ name: 'pmem0', type: 'generic', ranges: [{ startPfn: 640, endPfn: 1920 }] })
      .handleFor(640);
    const handle = { ...made, buffer: (made.buffer as SharedArrayBuffer).slice(0) };
    damage(handle.buffer, valuesOf, (text) => {
      const code = coded(text, () => {
        const init = DeviceInit.attach(handle, { memmap });
        for (const call of [
          (): unknown => init.isReady(640),
          (): unknown => init.isComplete(),
          (): unknown => init.initialisedPages,
          (): unknown => init.initChunk(640, 1920),
        ]) {
          coded(`${text}: ${call.toString()}`, () => void call());
        }
      });
      if (code !== 'none') refused += 1;
    });
    expect(refused).toBeGreaterThan(20);
  });
});
