/**
 * Allocators that a survivor and a thread that ends share, and what must hold when it has ended anywhere: everything
 * is free, the survivor's, or the dead thread's, once each; and all of it merges to what it was.
 */
import { expect } from '@jest/globals';
import { PageState } from '@bootmem/memmap';

import type { BuddyAllocator } from '../../dist/index.js';
import { PageAllocator, ZoneWord } from '../../dist/machine.js';
import type { Block } from './kill-pairs.js';
import type { Mortals } from './kill-points.js';

/** A situation, the step in which the victim may end, and what is right afterwards. */
export interface Scene<A extends BuddyAllocator | PageAllocator> {
  readonly survivor: A;
  readonly victim: A;
  readonly step: () => void;
  /** Blocks of the survivor, when all is over. */
  readonly kept: () => readonly Block[];
  /** Pages that the victim may hold in the end: before the step, after it. */
  readonly holds: readonly number[];
  /** In so many blocks at most; default any number. */
  readonly blocks?: number;
  /** Who has ended; default the victim. */
  readonly dead?: readonly number[];
  /** Whether the owner of a block looks at its new place. */
  readonly moved?: (from: number, to: number) => boolean;
}

/** Makes the same scene again and again. */
export type MakeScene<A extends BuddyAllocator | PageAllocator> = (mortals: Mortals) => Scene<A>;

const coresOf = (allocator: BuddyAllocator | PageAllocator) =>
  allocator instanceof PageAllocator ? allocator.zones.map(({ core }) => core) : [allocator.zone];

function allocatedBlocks(allocator: BuddyAllocator | PageAllocator): Block[] {
  const found: Block[] = [];
  for (const core of coresOf(allocator)) {
    for (let pfn = core.startPfn; pfn < core.endPfn;) {
      // What memory that grows has not reached.
      const head = core.memmap.isPresent(pfn) ? core.memmap.coveringHead(pfn) : undefined;
      if (head?.state === PageState.ALLOCATED) found.push([head.pfn, head.order]);
      pfn = head === undefined ? pfn + 1 : head.pfn + 2 ** head.order;
    }
  }
  return found;
}

const pagesOf = (blocks: readonly Block[]): number =>
  blocks.reduce((sum, [, order]) => sum + 2 ** order, 0);

const freeOf = (allocator: BuddyAllocator | PageAllocator): number =>
  coresOf(allocator).reduce((sum, core) => sum + core.freePages, 0);

const managedOf = (allocator: BuddyAllocator | PageAllocator): number =>
  coresOf(allocator).reduce((sum, core) => sum + core.managedPages, 0);

function freeOne(allocator: BuddyAllocator | PageAllocator, [pfn, order]: Block): void {
  if (allocator instanceof PageAllocator) allocator.freePages(pfn, order);
  else allocator.free(pfn, order);
}

/** All is well after the victim has ended and was reclaimed. */
function expectNothingLost<A extends BuddyAllocator | PageAllocator>(
  { survivor, kept, holds, blocks = Infinity, moved = () => false }: Scene<A>,
  dead: readonly number[],
): void {
  survivor.reclaimThreads(dead);
  survivor.settleMoves(moved);
  const violations = survivor.verify();
  // Nothing more can be asked of an allocator that has stopped.
  if (violations.length > 0) throw new Error(violations.map(({ text }) => text).join('; '));
  survivor.drain();
  const wanted = kept();
  const allocated = allocatedBlocks(survivor);
  const names = new Set(allocated.map(String));
  const managed = managedOf(survivor);
  const apart = (word: number): number =>
    coresOf(survivor).reduce((sum, core) => sum + core.get(word), 0);
  const guarded = apart(ZoneWord.GUARD);
  const withdrawn = apart(ZoneWord.LEAKED);
  const counted = freeOf(survivor) + guarded + withdrawn + pagesOf(allocated);
  const held = pagesOf(allocated) - pagesOf(wanted);
  const apartHeld = allocated.length - wanted.length;
  const missing = wanted.filter((block) => !names.has(String(block)));
  for (const block of allocated) freeOne(survivor, block);
  survivor.drain();
  // One `expect`, because there are many thousand of these.
  expect({
    missing,
    held: holds.includes(held) ? 'as before the step or after it' : held,
    scattered: apartHeld > blocks ? apartHeld : 0,
    counted,
    whole: survivor.verify(),
    free: freeOf(survivor) + withdrawn,
    left: allocatedBlocks(survivor),
  }).toEqual({
    missing: [],
    held: 'as before the step or after it',
    scattered: 0,
    counted: managed,
    whole: [],
    free: managed,
    left: [],
  });
}

/**
 * Throws at every point of the victim's step at which that makes a difference, as a full stack does; the victim lives
 * on and closes.
 */
export function throwEverywhere<A extends BuddyAllocator | PageAllocator>(
  mortals: Mortals,
  make: MakeScene<A>,
): number {
  const whole = make(mortals);
  const points = mortals.pointsOf(whole.step, watchMemory(whole.survivor), true);
  for (const at of points) {
    const scene = make(mortals);
    const { ended } = mortals.run(scene.step, at, true);
    try {
      expect(ended).toBe(false);
      scene.victim.close();
      expectNothingLost(scene, []);
    } catch (error) {
      (error as Error).message = `thrown at point ${at}: ${(error as Error).message}`;
      throw error;
    }
  }
  return points.length;
}

/** As {@link killEverywhere} for the one who reclaims: the first victim has ended at some of the points of its step. */
export function killReclaimer(
  mortals: Mortals,
  make: MakeScene<BuddyAllocator>,
  deaths: number,
): number {
  const whole = make(mortals);
  const points = mortals.pointsOf(whole.step, watchMemory(whole.survivor));
  const stride = Math.max(1, Math.floor(points.length / deaths));
  let ends = 0;
  for (let i = stride >> 1; i < points.length; i += stride) {
    ends += killEverywhere(mortals, (m) => {
      const scene = make(m);
      mortals.run(scene.step, points[i]);
      const second = m.BuddyAllocator.attach(scene.survivor.toHandle());
      const first = scene.victim.thread;
      const step = (): void => {
        second.reclaimThreads([first]);
        second.settleMoves(scene.moved ?? (() => false));
      };
      return { ...scene, victim: second, step, dead: [first, second.thread] };
    });
  }
  return ends;
}

/** Tells whether any of the shared words has changed since the last time. */
function watchMemory(allocator: BuddyAllocator | PageAllocator): () => boolean {
  const handle = allocator.toHandle();
  const { table, columns } = handle.memmap;
  const buffers: ArrayBufferLike[] = [handle.control.buffer, handle.threads.words.buffer, table];
  buffers.push(columns.bytes, columns.links, columns.refs);
  // Of memory that grows, how large it is.
  const data = 'data' in handle && handle.data !== null ? handle.data : undefined;
  const grows = data !== undefined && 'buffer' in data ? data : undefined;
  if (data !== undefined && !('buffer' in data)) buffers.push(data);
  let bytes = grows?.buffer.byteLength;
  const views = buffers.map((buffer) => Buffer.from(buffer));
  const copies = views.map((view) => Buffer.from(view));
  return () => {
    let changed = grows?.buffer.byteLength !== bytes;
    bytes = grows?.buffer.byteLength;
    for (const [i, view] of views.entries()) {
      if (copies[i]!.equals(view)) continue;
      view.copy(copies[i]!);
      changed = true;
    }
    return changed;
  };
}

/**
 * Ends the victim at every point of its step at which that makes a difference, each time in a new scene.
 * @returns how many these are
 */
export function killEverywhere<A extends BuddyAllocator | PageAllocator>(
  mortals: Mortals,
  make: MakeScene<A>,
): number {
  const whole = make(mortals);
  const points = mortals.pointsOf(whole.step, watchMemory(whole.survivor));
  expectNothingLost(whole, whole.dead ?? [whole.victim.thread]);
  for (const at of points) {
    const scene = make(mortals);
    const { ended } = mortals.run(scene.step, at);
    try {
      expect(ended).toBe(false);
      expectNothingLost(scene, scene.dead ?? [scene.victim.thread]);
    } catch (error) {
      (error as Error).message = `ended at point ${at}: ${(error as Error).message}`;
      throw error;
    }
  }
  return points.length;
}
