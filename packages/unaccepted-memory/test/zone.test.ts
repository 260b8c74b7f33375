import { expect, test } from '@jest/globals';
import { Pacer, UnacceptedMemory, ZoneAcceptor } from '@bootmem/unaccepted-memory';
import { createTdxModel } from '@bootmem/unaccepted-memory/platform';
import type { AcceptBackend, AcceptError, ZoneAcceptorOptions } from '@bootmem/unaccepted-memory';
import type { AcceptStage } from '../dist/zone/zone-port.js';
import { SharedZone } from './support/shared-zone.mjs';

const M = 1024 * 1024;
const ZONE = 1;

interface Stage {
  memory: UnacceptedMemory;
  zone: SharedZone;
  acceptor: ZoneAcceptor;
  /** Platform calls in MiB. */
  calls: [number, number][];
}

/** A zone of `sizeInM` MiB from address 0 whose `ranges` are unaccepted. */
function stage(
  sizeInM: number,
  ranges: [number, number][],
  options: Partial<ZoneAcceptorOptions> & { guard?: boolean; backend?: AcceptBackend } = {},
): Stage {
  const calls: [number, number][] = [];
  const backend = options.backend ?? {
    name: 'recorder',
    granularity: 2 ** 40,
    maxRun: 2 ** 40,
    repeatable: 'never',
    accept: (start: number, end: number) => {
      calls.push([start / M, end / M]);
    },
    toHandle: () => ({ kind: 'recorder' }),
  };
  const memory = UnacceptedMemory.create({
    ranges: ranges.map(([start, end]) => ({ start: start * M, end: end * M })),
    backend,
    guard: options.guard ?? true,
  });
  calls.length = 0;
  const zone = new SharedZone({ pages: sizeInM * 256 });
  const acceptor = ZoneAcceptor.create({ ...options, memory, port: zone });
  zone.gate = acceptor;
  return { memory, zone, acceptor, calls };
}

/** U2, U4, U5, U6 of the design: holds at every quiet moment. */
function verify({ memory, zone }: Stage): void {
  expect(zone.freePages).toBe(zone.listedPages() + zone.unacceptedPages(ZONE));
  for (const { pfn, order } of zone.usableBlocks()) {
    expect(memory.containsUnaccepted(pfn * 4096, 4096 << order)).toBe(false);
  }
  expect(zone.unacceptedPages(ZONE) % 1024).toBe(0);
  expect(memory.acceptingRanges()).toEqual([]);
}

/** Takes all that is left, page by page, and returns how much it was. */
function drain(zone: SharedZone): number {
  let pages = 0;
  while (zone.alloc(0) !== undefined) pages += 1;
  return pages;
}

test('lazy: max-order blocks are parked, counted as free, on no list', () => {
  const it = stage(64, [[0, 64]]);
  it.zone.handOver(0, it.zone.pages);
  expect(it.zone.freePages).toBe(64 * 256);
  expect(it.zone.managedPages).toBe(64 * 256);
  expect(it.zone.unacceptedPages(ZONE)).toBe(64 * 256);
  expect(it.zone.freeCounts()).toEqual(new Array(11).fill(0));
  expect(it.calls).toEqual([]);
  verify(it);
});

test('eager: everything is accepted at hand-over and nothing is parked', () => {
  const it = stage(64, [[0, 64]], { mode: 'eager' });
  expect(it.acceptor.mode).toBe('eager');
  it.zone.handOver(0, it.zone.pages);
  expect(it.memory.unacceptedBytes()).toBe(0);
  expect(it.zone.unacceptedPages(ZONE)).toBe(0);
  expect(it.zone.freeCounts()[10]).toBe(16);
  verify(it);
});

test('smaller blocks are accepted at hand-over', () => {
  const it = stage(16, [[0, 16]], { guard: false });
  it.zone.handOver(1 * 256, 15 * 256); // blocks of 1 M, 2 M | 4 M, 4 M | 2 M, 1 M
  expect(it.zone.unacceptedPages(ZONE)).toBe(2 * 1024);
  expect(it.calls).toEqual([
    [0, 2],
    [2, 4],
    [12, 14],
    [14, 16],
  ]);
  expect(it.acceptor.stats().acceptedAtHandOver).toBe(4);
  verify(it);
});

test('a block with one unaccepted unit, or with only its guard unaccepted, is parked', () => {
  const it = stage(16, [[6, 16]]);
  it.memory.acceptExactly(8 * M, 4 * M); // unaccepted: 6..8, 12..16
  it.zone.handOver(0, it.zone.pages);
  // 0..4: accepted, guard 4..6 accepted: free. 4..8: half. 8..12: only the guard. 12..16: whole.
  expect(it.zone.unacceptedPages(ZONE)).toBe(3 * 1024);
  expect(it.zone.freeCounts()[10]).toBe(1);
  verify(it);
});

test('a block directly before the table is parked because of its guard', () => {
  const it = stage(16, [[8, 16]]);
  it.zone.handOver(0, it.zone.pages);
  expect(it.zone.unacceptedPages(ZONE)).toBe(3 * 1024); // 4..8 (guard), 8..12, 12..16
});

test('blocks are accepted first in, first out', () => {
  const it = stage(16, [[0, 16]], { guard: false });
  it.zone.handOver(0, it.zone.pages);
  expect(it.acceptor.acceptAll(ZONE)).toBe(4);
  expect(it.calls).toEqual([
    [0, 4],
    [4, 8],
    [8, 12],
    [12, 16],
  ]);
  expect(it.acceptor.acceptOne(ZONE)).toBe(false);
  verify(it);
});

// need = promo - (accepted free - unusable); one block is 1024 pages.
test.each([
  [-1, 0],
  [0, 0],
  [1, 1],
  [1024, 1],
  [1025, 2],
  [4096, 4],
])('a need of %i pages accepts %i blocks', (need, blocks) => {
  const it = stage(64, [[0, 64]], { guard: false });
  it.zone.handOver(0, it.zone.pages);
  it.acceptor.acceptOne(ZONE);
  it.zone.setPromo(1024 + need);
  expect(it.acceptor.condAccept(ZONE, 0, 'before')).toBe(blocks > 0);
  expect(it.acceptor.stats().acceptedBlocks).toBe(1 + blocks);
  const { promo, acceptedFree, unusable } = it.zone.acceptState(ZONE, 0);
  expect(acceptedFree - unusable).toBeGreaterThanOrEqual(promo);
  verify(it);
});

test('pages that an order cannot use do not count', () => {
  const it = stage(64, [[0, 64]], { guard: false });
  it.zone.handOver(0, it.zone.pages);
  it.acceptor.acceptOne(ZONE);
  it.zone.setPromo(1024 - 7);
  expect(it.acceptor.condAccept(ZONE, 3, 'before')).toBe(false); // unusable: 7
  expect(it.acceptor.condAccept(ZONE, 4, 'before')).toBe(true); // unusable: 15
});

test('pages outside the normal lists count as unusable', () => {
  const it = stage(64, [[0, 64]], { guard: false });
  it.zone.handOver(0, it.zone.pages);
  it.acceptor.acceptOne(ZONE);
  it.zone.setPromo(512);
  const reserved = 600; // free highatomic and CMA pages
  const port = Object.create(it.zone) as SharedZone;
  port.acceptState = (zone, order) => {
    const state = it.zone.acceptState(zone, order);
    return { ...state, unusable: state.unusable + reserved };
  };
  const acceptor = ZoneAcceptor.attach(it.acceptor.toHandle(), { memory: it.memory, port });
  expect(it.acceptor.condAccept(ZONE, 0, 'before')).toBe(false);
  expect(acceptor.condAccept(ZONE, 0, 'before')).toBe(true);
});

test('marks at zero: a block is accepted only when accepted memory cannot serve the request', () => {
  const it = stage(64, [[0, 64]], { guard: false });
  it.zone.handOver(0, it.zone.pages);
  for (let page = 0; page < 1024; page += 1) expect(it.zone.alloc(0)).toBeDefined();
  expect(it.acceptor.stats()).toMatchObject({ acceptedBlocks: 1, zeroMarkAccepts: 1 });
  expect(it.zone.alloc(0)).toBeDefined();
  expect(it.acceptor.stats().acceptedBlocks).toBe(2);
});

test('marks at zero, as the kernel: every allocation accepts a block', () => {
  const it = stage(64, [[0, 64]], { guard: false, zeroMarks: 'always' });
  it.zone.handOver(0, it.zone.pages);
  for (let page = 0; page < 10; page += 1) it.zone.alloc(0);
  expect(it.acceptor.stats().acceptedBlocks).toBe(10);
});

test('an allocation succeeds with all marks at zero and everything parked', () => {
  const it = stage(4, [[0, 4]], { guard: false });
  it.zone.handOver(0, it.zone.pages);
  expect(drain(it.zone)).toBe(1024);
  verify(it);
});

test('out of memory only after the list is empty, and every page was handed out', () => {
  const it = stage(64, [[0, 64]]);
  it.zone.handOver(0, it.zone.pages);
  it.zone.setPromo(2048);
  expect(drain(it.zone)).toBe(64 * 256);
  expect(it.zone.unacceptedPages(ZONE)).toBe(0);
  expect(it.memory.unacceptedBytes()).toBe(0);
  verify(it);
});

test('a request that may not wait accepts nothing', () => {
  const it = stage(16, [[0, 16]]);
  it.zone.handOver(0, it.zone.pages);
  for (const at of ['before', 'watermark', 'empty'] as const) {
    expect(it.acceptor.condAccept(ZONE, 0, at, { tryLock: true })).toBe(false);
  }
  expect(it.zone.alloc(0, { tryLock: true })).toBeUndefined();
  expect(it.calls).toEqual([]);
  expect(it.zone.alloc(0)).toBeDefined();
});

/** Accepts one block and leaves its free pages in single pages and pairs only. */
function fragment(it: Stage): void {
  it.zone.handOver(0, it.zone.pages);
  const pages: number[] = [];
  for (let page = 0; page < 1024; page += 1) pages.push(it.zone.alloc(0)!);
  for (const pfn of pages) if (pfn % 2 === 0) it.zone.free(pfn, 0);
  it.zone.setPromo(1);
}

test('a high order that finds no block though enough is accepted gets a parked block', () => {
  const it = stage(16, [[0, 16]]);
  fragment(it);
  expect(it.acceptor.condAccept(ZONE, 3, 'before')).toBe(false);
  expect(it.zone.alloc(3)).toBeDefined();
  expect(it.acceptor.stats().highOrderAccepts).toBe(1);
  verify(it);
});

test('without that rule it fails while blocks are parked, as in the kernel', () => {
  const it = stage(16, [[0, 16]], { highOrderRule: false });
  fragment(it);
  expect(it.zone.alloc(3)).toBeUndefined();
  expect(it.zone.unacceptedPages(ZONE)).toBeGreaterThan(0);
});

test.each<[AcceptStage, number, boolean]>([
  ['watermark', 0, false],
  ['watermark', 1, true],
  ['empty', 0, true],
])('enough accepted, stage %s, order %i: accepts %s', (at, order, accepts) => {
  const it = stage(16, [[0, 16]]);
  fragment(it);
  expect(it.acceptor.condAccept(ZONE, order, at)).toBe(accepts);
});

test('a failed watermark accepts all that is missing, an empty list one block', () => {
  for (const [at, blocks] of [
    ['watermark', 3],
    ['empty', 1],
  ] as const) {
    const it = stage(64, [[0, 64]], { guard: false });
    it.zone.handOver(0, it.zone.pages);
    it.zone.setPromo(3 * 1024);
    expect(it.acceptor.condAccept(ZONE, 0, at)).toBe(true);
    expect(it.acceptor.stats().acceptedBlocks).toBe(blocks);
  }
});

test('isolation accepts the block that holds the page, out of order, once', () => {
  const it = stage(16, [[0, 16]], { guard: false });
  it.zone.handOver(0, it.zone.pages);
  expect(it.acceptor.acceptBlock(2 * 1024 + 17)).toBe(true);
  expect(it.calls).toEqual([[8, 12]]);
  expect(it.acceptor.acceptBlock(2 * 1024)).toBe(false);
  expect(it.zone.freeCounts()[10]).toBe(1);
  verify(it);
  it.acceptor.acceptAll(ZONE);
  expect(it.calls).toEqual([
    [8, 12],
    [0, 4],
    [4, 8],
    [12, 16],
  ]);
  verify(it);
});

test('a range given to memblock is accepted at once, with its guard', () => {
  const it = stage(16, [[0, 16]]);
  it.acceptor.acceptRange(1 * M, 3 * M);
  expect(it.calls).toEqual([[0, 6]]);
});

test('without a table nothing is parked and nothing is called', () => {
  const it = stage(16, []);
  it.zone.handOver(0, it.zone.pages);
  expect(it.zone.unacceptedPages(ZONE)).toBe(0);
  expect(drain(it.zone)).toBe(16 * 256);
  expect(it.calls).toEqual([]);
});

test('managed pages do not change by acceptance', () => {
  const it = stage(32, [[0, 32]]);
  it.zone.handOver(0, it.zone.pages);
  const before = it.zone.managedPages;
  it.acceptor.acceptAll(ZONE);
  expect(it.zone.managedPages).toBe(before);
  expect(it.zone.freePages).toBe(before);
});

test('a block that the platform refuses is withheld, the error is thrown, the rest works on', () => {
  const backend = createTdxModel({ refuse: [{ start: 5 * M, end: 6 * M }] });
  const it = stage(16, [[0, 16]], { guard: false, backend });
  it.zone.handOver(0, it.zone.pages);
  it.acceptor.acceptOne(ZONE);
  expect(() => it.acceptor.acceptOne(ZONE)).toThrow('could not accept');
  expect(it.acceptor.stats().withheld).toBe(1);
  expect(it.acceptor.inFlightPages(ZONE)).toBe(0);
  expect(it.acceptor.acceptAll(ZONE)).toBe(2);
  expect(drain(it.zone)).toBe(3 * 1024);
  verify(it);
});

test('stepping through a block that the platform refuses throws its first error', () => {
  const backend = createTdxModel({ refuse: [{ start: 1 * M, end: 2 * M }] });
  const it = stage(16, [[0, 16]], { guard: false, backend });
  it.zone.handOver(0, it.zone.pages);
  let code = '';
  try {
    it.acceptor.acceptOneInSteps(ZONE, 4096, () => true);
  } catch (error) {
    code = (error as AcceptError).code;
  }
  expect(code).toBe('ERR_ACCEPT_FAILED');
  expect(it.acceptor.stats().withheld).toBe(1);
  expect(it.acceptor.inFlightPages(ZONE)).toBe(0);
});

test('a dead thread leaves its block to be finished, or withheld when its content is not known', () => {
  for (const repeatable of ['concurrently', 'after-death', 'never'] as const) {
    const backend: AcceptBackend = {
      name: 'stops',
      granularity: 1 * M,
      maxRun: 1 * M,
      repeatable,
      accept: () => undefined,
      toHandle: () => ({ kind: 'stops' }),
    };
    const it = stage(16, [[0, 16]], { guard: false, backend });
    it.zone.handOver(0, it.zone.pages);
    const id = it.memory.reserveParticipant();
    // The thread stops for good inside its second step: everything below is never executed.
    const dying = UnacceptedMemory.attach(it.memory.toHandle(), {
      participant: id,
      backend: {
        ...backend,
        accept: (start: number) => {
          if (start !== 1 * M) return;
          const stopped = UnacceptedMemory.attach(it.memory.toHandle(), { backend });
          expect(stopped.unitState(0)).toBe('accepting');
          expect(it.memory.acceptingRanges()).toHaveLength(1);
          expect(it.acceptor.reclaim([63, id])).toEqual([
            'nothing',
            repeatable !== 'never' ? 'freed' : 'withheld',
          ]);
        },
      },
    });
    const acceptor = ZoneAcceptor.attach(it.acceptor.toHandle(), { memory: dying, port: it.zone });
    // Returning from the step that "killed" the thread lets it run on as a ghost; a real one does not.
    const ghost = (): unknown => acceptor.acceptOneInSteps(ZONE, 1 * M, () => true);
    ghost();
    expect(it.acceptor.stats()).toMatchObject(
      repeatable !== 'never'
        ? { acceptedBlocks: 1, withheld: 0 }
        : { acceptedBlocks: 0, withheld: 1 },
    );
    expect(it.acceptor.inFlightPages(ZONE)).toBe(0);
    verify(it);
  }
});

test('a burst limits what one allocation accepts while it can be served, never what it needs', () => {
  const it = stage(64, [[0, 64]], { guard: false, burst: 1 });
  it.zone.handOver(0, it.zone.pages);
  it.zone.setPromo(4 * 1024);
  // Nothing is accepted yet: even a burst of 0 would have to give it one block.
  for (let blocks = 1; blocks <= 5; blocks += 1) {
    it.acceptor.condAccept(ZONE, 0, 'before');
    expect(it.acceptor.stats().acceptedBlocks).toBe(Math.min(blocks, 4));
  }
  const none = stage(64, [[0, 64]], { guard: false, burst: 0 });
  none.zone.handOver(0, none.zone.pages);
  none.zone.setPromo(4 * 1024);
  expect(none.acceptor.condAccept(ZONE, 0, 'before')).toBe(true);
  expect(none.acceptor.condAccept(ZONE, 0, 'before')).toBe(false);
});

test('with a helper at work an allocation accepts only below half of promo', () => {
  const it = stage(64, [[0, 64]], { guard: false });
  it.zone.handOver(0, it.zone.pages);
  it.acceptor.acceptOne(ZONE);
  const seen: boolean[] = [];
  let second: unknown;
  // The helper's own step is the moment at which it is known to run.
  const pacer: Pacer = Pacer.create({
    clock: () => 0,
    sleep: () => undefined,
  });
  const port = Object.create(it.zone) as SharedZone;
  port.takeUnaccepted = () => {
    if (seen.length === 0) {
      it.zone.setPromo(1500); // 1024 ready: above half
      seen.push(it.acceptor.condAccept(ZONE, 0, 'before'));
      it.zone.setPromo(4096); // 1024 ready: below half
      seen.push(it.acceptor.condAccept(ZONE, 0, 'before'));
      try {
        it.acceptor.runHelper([ZONE], { reservePages: 0, pacer });
      } catch (error) {
        second = error;
      }
    }
    pacer.stop();
    return it.zone.takeUnaccepted(ZONE);
  };
  it.zone.setPromo(4096);
  const helper = ZoneAcceptor.attach(it.acceptor.toHandle(), { memory: it.memory, port });
  helper.runHelper([ZONE], { reservePages: 0, pacer });
  expect(seen).toEqual([false, true]);
  expect((second as AcceptError).code).toBe('ERR_ACCEPT_ARGUMENT');
  // It has ended: allocations refill by themselves again.
  it.zone.setPromo(4096);
  expect(it.acceptor.condAccept(ZONE, 0, 'before')).toBe(true);
  verify(it);
});

test('pages in flight count before the watermark test: one shortage, one block', () => {
  const seen: boolean[] = [];
  const backend: AcceptBackend = {
    name: 'asks',
    granularity: 2 ** 40,
    maxRun: 2 ** 40,
    repeatable: 'never',
    accept: () => {
      // Another thread allocates while this one is inside the platform call.
      if (seen.length > 0) return;
      const other = UnacceptedMemory.attach(it.memory.toHandle(), { backend });
      const acceptor = ZoneAcceptor.attach(it.acceptor.toHandle(), {
        memory: other,
        port: it.zone,
      });
      seen.push(acceptor.condAccept(ZONE, 0, 'before'));
      it.zone.setPromo(1025);
      seen.push(acceptor.condAccept(ZONE, 0, 'before'));
      other.close();
    },
    toHandle: () => ({ kind: 'asks' }),
  };
  const it = stage(64, [[0, 64]], { guard: false, backend });
  it.zone.handOver(0, it.zone.pages);
  it.zone.setPromo(1024);
  expect(it.acceptor.condAccept(ZONE, 0, 'before')).toBe(true);
  // A need of 1024 is covered by the block in flight, one of 1025 is not.
  expect(seen).toEqual([false, true]);
  expect(it.acceptor.stats().acceptedBlocks).toBe(2);
  verify(it);
});

test('a block that a dead thread left in its slot is finished by the next owner of the slot', () => {
  for (const next of ['acceptOne', 'acceptBlock'] as const) {
    const it = stage(16, [[0, 16]], { guard: false });
    it.zone.handOver(0, it.zone.pages);
    const id = it.memory.reserveParticipant();
    const view = (): ZoneAcceptor => {
      const memory = UnacceptedMemory.attach(it.memory.toHandle(), {
        participant: id,
        backend: it.memory.backend,
      });
      return ZoneAcceptor.attach(it.acceptor.toHandle(), { memory, port: it.zone });
    };
    // It stops between two steps, for good: what comes after the step is never executed.
    const dying = view().acceptOneInSteps(ZONE, 4096, () => {
      expect(it.memory.reclaim([id])).toEqual([]);
      expect(it.memory.reserveParticipant()).toBe(id);
      const heir = view();
      if (next === 'acceptOne') heir.acceptOne(ZONE);
      else heir.acceptBlock(2 * 1024);
      expect(it.acceptor.stats().acceptedBlocks).toBe(2);
      return false;
    });
    expect(dying).toBe(2 * M);
    expect(it.acceptor.stats().acceptedBlocks).toBe(2);
    expect(it.acceptor.inFlightPages(ZONE)).toBe(0);
    expect(it.zone.unacceptedPages(ZONE)).toBe(2 * 1024);
    verify(it);
  }
});

test('a thread that dies between freeing a block and saying so: the next one settles it, once', () => {
  for (const after of [false, true]) {
    const it = stage(4, [[0, 4]], { guard: false });
    it.zone.handOver(0, it.zone.pages);
    const port = Object.create(it.zone) as SharedZone;
    port.freeAccepted = (pfn, order) => {
      if (after) it.zone.freeAccepted(pfn, order);
      throw new Error('this thread died here');
    };
    const dying = ZoneAcceptor.attach(it.acceptor.toHandle(), { memory: it.memory, port });
    expect(() => dying.acceptOne(ZONE)).toThrow('died here');
    expect(it.acceptor.inFlightPages(ZONE)).toBe(1024);
    expect(drain(it.zone)).toBe(1024);
    // Where the block was freed already, nobody needed to look at it; the next one with this slot does.
    expect(it.acceptor.acceptOne(ZONE)).toBe(false);
    expect(it.acceptor.inFlightPages(ZONE)).toBe(0);
    verify(it);
  }
});

test('a thread that dies between naming a block and taking it off its list: the block is still parked', () => {
  const it = stage(8, [[0, 8]], { guard: false });
  it.zone.handOver(0, it.zone.pages);
  const port = Object.create(it.zone) as SharedZone;
  port.takeUnaccepted = (_zone, named) => {
    named?.(0);
    throw new Error('this thread died here');
  };
  const id = it.memory.reserveParticipant();
  const memory = UnacceptedMemory.attach(it.memory.toHandle(), {
    participant: id,
    backend: it.memory.backend,
  });
  const dying = ZoneAcceptor.attach(it.acceptor.toHandle(), { memory, port });
  expect(() => dying.acceptOne(ZONE)).toThrow('died here');
  expect(it.acceptor.inFlightPages(ZONE)).toBe(1024);
  expect(it.acceptor.reclaim([id])).toEqual(['freed']);
  expect(it.acceptor.inFlightPages(ZONE)).toBe(0);
  expect(it.zone.unacceptedPages(ZONE)).toBe(2 * 1024);
  expect(drain(it.zone)).toBe(2 * 1024);
  expect(it.acceptor.stats().acceptedBlocks).toBe(2);
  verify(it);
});
