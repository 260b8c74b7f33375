import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { BuddyAllocator, type Mobility } from '../dist/index.js';
import { BitmapModel } from './model/bitmap-model.js';

const PAGES = 3000;
const mobilities: readonly Mobility[] = ['movable', 'unmovable', 'reclaimable'];

type Step =
  | { kind: 'alloc'; order: number; mobility: Mobility }
  | { kind: 'exact'; pages: number }
  | { kind: 'range'; pages: number; min: number; align: number; topDown: boolean }
  | { kind: 'free'; pick: number }
  | { kind: 'wrong'; pfn: number; order: number }
  | { kind: 'drain' }
  | { kind: 'isolate'; pfn: number }
  | { kind: 'compact' };

const mobility = fc.constantFrom(...mobilities);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('alloc' as const),
      order: fc.oneof(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 10 })),
      mobility,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('exact' as const),
      pages: fc.integer({ min: 1, max: 1300 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('range' as const),
      pages: fc.integer({ min: 1, max: 40 }),
      min: fc.integer({ min: 0, max: PAGES }),
      align: fc.constantFrom(1, 2, 8, 64),
      topDown: fc.boolean(),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('free' as const), pick: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('wrong' as const),
      pfn: fc.integer({ min: -2, max: PAGES + 3 }),
      order: fc.integer({ min: 0, max: 11 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'drain' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('isolate' as const),
      pfn: fc.integer({ min: 0, max: PAGES - 1 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'compact' as const }) },
);

interface Held {
  id: number;
  /** Block order, or undefined for single pages. */
  order: number | undefined;
}

class Run {
  readonly allocator: BuddyAllocator;
  readonly model = new BitmapModel(PAGES);
  readonly held: Held[] = [];

  constructor(caches: boolean) {
    this.allocator = BuddyAllocator.create({ pages: PAGES, data: null, caches, threads: 2 });
  }

  apply(step: Step): void {
    const { allocator, model, held } = this;
    if (step.kind === 'alloc') {
      const pfn = allocator.alloc(step.order, { mobility: step.mobility });
      if (pfn === undefined) expect(model.hasAligned(step.order)).toBe(false);
      else {
        expect(pfn % 2 ** step.order).toBe(0);
        held.push({ id: model.take(pfn, 2 ** step.order), order: step.order });
      }
    } else if (step.kind === 'exact' || step.kind === 'range') {
      const pfn =
        step.kind === 'exact' ? allocator.allocExact(step.pages) : allocator.allocRange(step);
      if (pfn !== undefined) {
        if (step.kind === 'range') {
          expect(pfn).toBeGreaterThanOrEqual(step.min);
          expect(pfn % step.align).toBe(0);
        }
        held.push({ id: model.take(pfn, step.pages), order: undefined });
      }
    } else if (step.kind === 'free') this.free(step.pick);
    else if (step.kind === 'wrong') this.wrong(step.pfn, step.order);
    else if (step.kind === 'drain') allocator.drain();
    else if (step.kind === 'isolate') this.contig(step.pfn);
    else this.compact();
    expect(allocator.verify()).toEqual([]);
    const { allocatedPages, freePages, cachedPages } = allocator.stats();
    expect(allocatedPages).toBe(PAGES - model.free);
    expect(freePages + cachedPages).toBe(model.free);
  }

  free(pick: number): void {
    if (this.held.length === 0) return;
    const [{ id, order }] = this.held.splice(pick % this.held.length, 1) as [Held];
    const { pfn, pages } = this.model.give(id);
    if (order === undefined) this.allocator.freeExact(pfn, pages);
    else this.allocator.free(pfn, order);
  }

  wrong(pfn: number, order: number): void {
    const owner = this.model.owner[pfn] ?? 0;
    const block = this.held.find((h) => h.id === owner);
    if (block !== undefined) {
      const first = this.model.blocks.get(owner)!.pfn === pfn;
      const single = block.order === undefined && order === 0;
      if (single || (first && block.order === order)) return;
    }
    expect(this.allocator.tryFree(pfn, order)).not.toBe('ok');
  }

  contig(pfn: number): void {
    const end = Math.min(pfn + 100, PAGES);
    if (this.allocator.allocContigRange(pfn, end)) {
      this.held.push({ id: this.model.take(pfn, end - pfn), order: undefined });
    }
  }

  compact(): void {
    const { model, held } = this;
    this.allocator.compact((from, to, pages) => {
      const id = model.owner[from]!;
      const block = held.find((h) => h.id === id)!;
      if (block.order === undefined) return false;
      expect(2 ** block.order).toBe(pages);
      model.give(id);
      block.id = model.take(to, pages);
      return true;
    });
  }

  end(): void {
    while (this.held.length > 0) this.free(0);
    this.allocator.drain();
    expect(this.allocator.stats().freeBlocks.slice(9)).toEqual([1, 2]);
    expect(this.allocator.verify()).toEqual([]);
    expect(this.allocator.allocExact(PAGES)).toBe(0);
    this.allocator.close();
  }
}

test.each([true, false])(
  'any sequence of calls agrees with a bitmap, all invariants after each step (caches %s)',
  (caches) => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
        const run = new Run(caches);
        for (const s of steps) run.apply(s);
        run.end();
      }),
      { numRuns: 60 },
    );
  },
  60_000,
);
