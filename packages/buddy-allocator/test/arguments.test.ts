/**
 * Every public function against the same list of bad values, in each place an argument goes: an error with a code of
 * this package, and nothing changed. What a place allows of the list is named in the row.
 */
import { expect, test } from '@jest/globals';
import { Memmap } from '@bootmem/memmap';

import { BuddyAllocator, BuddyError } from '../dist/index.js';
import { PageAllocator } from '../dist/machine.js';

const BAD: readonly (readonly [string, unknown])[] = [
  ['-1', -1],
  ['NaN', Number.NaN],
  ['1.5', 1.5],
  ['2^31', 2 ** 31],
  ['2^32', 2 ** 32],
  ['2^53', 2 ** 53],
  ['-Infinity', -Infinity],
  ['Infinity', Infinity],
  ["'4'", '4'],
  ["'x'", 'x'],
  ['null', null],
  ['undefined', undefined],
  ['1n', 1n],
  ['true', true],
  ['a symbol', Symbol('s')],
  ['a function', (): boolean => true],
  ['{}', {}],
  ['no prototype', Object.create(null)],
  ['[]', []],
  ['[4]', [4]],
];

const PAGES = 2048;
const pool = BuddyAllocator.create({ pages: PAGES, threads: 3 });
const plain = BuddyAllocator.create({ pages: 64, threads: 2, caches: false, poison: true });
const owned = BuddyAllocator.create({ pages: 64, threads: 2, data: null, owners: true });
const heldOwned = owned.allocOrThrow(0);
const held = pool.allocOrThrow(0);
const heldPlain = plain.allocOrThrow(0);
const memmap = Memmap.create({ ranges: [{ startPfn: 0, endPfn: 32768 }] });
const spec = { nid: 0, zone: 'Normal', startPfn: 0, endPfn: 32768, presentPages: 32768 } as const;
const machine = PageAllocator.create(memmap, [spec], { threads: 2 });
const zoneId = memmap.zones.idOf(0, 2)!;
memmap.initRange(0, 32768, zoneId);
machine.freeBlocks(0, 32768);
machine.buildZonelists();
const page = machine.allocPages(0)!;

const room = new SharedArrayBuffer(4 * 4096);
const sleepWords = new Int32Array(new SharedArrayBuffer(4));
const always = (): boolean => true;

/** Name of the place, the call with the value in it, and what of the list is allowed there. */
type Row = readonly [string, (value: never) => unknown, (readonly string[])?];

const optional = (name: string, call: (value: never) => unknown, allowed: string[] = []): Row => [
  name,
  call,
  ['undefined', ...allowed],
];

const objects = ['{}', 'no prototype'];
const big = ['2^31', '2^32', '2^53'];

const poolRows: Row[] = [
  ['create', (v) => BuddyAllocator.create(v)],
  ['create.pages', (v) => BuddyAllocator.create({ pages: v, data: null })],
  ['create.bytes', (v) => BuddyAllocator.create({ bytes: v, data: null }), ['2^31', '2^32']],
  optional('create.pageSize', (v) => BuddyAllocator.create({ pages: 4, pageSize: v })),
  optional('create.maxPages', (v) => BuddyAllocator.create({ pages: 4, maxPages: v })),
  optional('create.maxOrder', (v) => BuddyAllocator.create({ pages: 4, maxOrder: v })),
  optional('create.threads', (v) => BuddyAllocator.create({ pages: 4, threads: v })),
  optional('create.cachePages', (v) => BuddyAllocator.create({ pages: 4, cachePages: v })),
  optional('create.parkAfterMs', (v) => BuddyAllocator.create({ pages: 4, parkAfterMs: v }), [
    '1.5',
    'Infinity',
    ...big,
  ]),
  optional('create.data', (v) => BuddyAllocator.create({ pages: 4, data: v }), ['null']),
  optional('create.dataOffset', (v) =>
    BuddyAllocator.create({ pages: 4, data: room, dataOffset: v }),
  ),
  ...(['zeroed', 'grouping', 'caches', 'poison', 'checked', 'owners'] as const).map((flag) =>
    optional(`create.${flag}`, (v) => BuddyAllocator.create({ pages: 4, [flag]: v }), ['true']),
  ),
  ['attach', (v) => BuddyAllocator.attach(v)],
  ['attach.options', (v) => BuddyAllocator.attach(pool.toHandle(), v), ['undefined', ...objects]],
  ['restore', (v) => BuddyAllocator.restore(v)],
  ['alloc.order', (v) => pool.alloc(v)],
  ['alloc.request', (v) => pool.alloc(0, v), ['undefined', ...objects]],
  optional('alloc.mobility', (v) => pool.alloc(0, { mobility: v })),
  ...(['zero', 'high', 'noPressure'] as const).map((flag) =>
    optional(`alloc.${flag}`, (v) => pool.alloc(0, { [flag]: v }), ['true']),
  ),
  optional('alloc.owner', (v) => owned.alloc(0, { owner: v })),
  optional('alloc.owner without owners', (v) => pool.alloc(0, { owner: v })),
  optional('create.owner', (v) => BuddyAllocator.create({ pages: 4, owners: true, owner: v })),
  optional('attach.owner', (v) => BuddyAllocator.attach(owned.toHandle(), { owner: v })),
  ['freeAllOf', (v) => owned.freeAllOf(v)],
  [
    'setOwner.pfn',
    (v) => {
      owned.setOwner(v, 0, 1);
    },
  ],
  [
    'setOwner.order',
    (v) => {
      owned.setOwner(heldOwned, v, 1);
    },
  ],
  [
    'setOwner.owner',
    (v) => {
      owned.setOwner(heldOwned, 0, v);
    },
  ],
  ['extend.pfn', (v) => pool.extend(v, 0, 1)],
  ['extend.order', (v) => pool.extend(held, v, 10)],
  ['extend.to', (v) => pool.extend(held, 0, v)],
  ['extend.request', (v) => pool.extend(held, 0, 0, v), ['undefined', ...objects]],
  [
    'shrink.pfn',
    (v) => {
      pool.shrink(v, 0, 0);
    },
  ],
  [
    'shrink.order',
    (v) => {
      pool.shrink(held, v, 0);
    },
  ],
  [
    'shrink.to',
    (v) => {
      pool.shrink(held, 0, v);
    },
  ],
  ['alloc without caches', (v) => plain.alloc(v)],
  ['allocOrThrow', (v) => pool.allocOrThrow(v)],
  [
    'free.pfn',
    (v) => {
      pool.free(v, 0);
    },
  ],
  [
    'free.order',
    (v) => {
      pool.free(held, v);
    },
  ],
  [
    'free.pfn without caches',
    (v) => {
      plain.free(v, 0);
    },
  ],
  [
    'free.order without caches',
    (v) => {
      plain.free(heldPlain, v);
    },
  ],
  ['allocExact', (v) => pool.allocExact(v), ['2^31', '2^32']],
  ['allocExact.request', (v) => pool.allocExact(1, v), ['undefined', ...objects]],
  ['allocRange', (v) => pool.allocRange(v)],
  ['allocRange.pages', (v) => pool.allocRange({ pages: v }), ['2^31', '2^32']],
  optional('allocRange.min', (v) => pool.allocRange({ pages: 1, min: v }), ['2^31', '2^32']),
  optional('allocRange.max', (v) => pool.allocRange({ pages: 1, max: v }), ['2^31', '2^32']),
  optional('allocRange.align', (v) => pool.allocRange({ pages: 1, align: v }), big),
  optional('allocRange.boundary', (v) => pool.allocRange({ pages: 1, boundary: v }), big),
  optional('allocRange.topDown', (v) => pool.allocRange({ pages: 1, topDown: v }), ['true']),
  [
    'freeExact.pfn',
    (v) => {
      pool.freeExact(v, 1);
    },
  ],
  [
    'freeExact.pages',
    (v) => {
      pool.freeExact(held, v);
    },
  ],
  ['allocBulk.count', (v) => pool.allocBulk(v, new Int32Array(8))],
  ['allocBulk.out', (v) => pool.allocBulk(2, v), ['[]', '[4]']],
  [
    'freeBulk.list',
    (v) => {
      pool.freeBulk(v);
    },
    ['[]'],
  ],
  [
    'freeBulk.count',
    (v) => {
      pool.freeBulk([], v);
    },
    ['undefined'],
  ],
  ['allocContigRange.start', (v) => pool.allocContigRange(v, 8)],
  ['allocContigRange.end', (v) => pool.allocContigRange(5, v)],
  ['allocContigRange.move', (v) => pool.allocContigRange(0, 8, v), ['undefined', 'a function']],
  ['unisolate', (v) => pool.unisolate(v)],
  ['settleMoves', (v) => pool.settleMoves(v), ['a function']],
  ['compact.move', (v) => pool.compact(v), ['a function']],
  ['compact.isMovable', (v) => pool.compact(always, v), ['undefined', 'a function']],
  ['grow', (v) => pool.grow(v), ['2^31']],
  ['view.pfn', (v) => pool.view(v, 0, Uint8Array)],
  ['view.order', (v) => pool.view(0, v, Uint8Array)],
  ['view.type', (v) => pool.view(0, 0, v)],
  ['viewPages.pages', (v) => pool.viewPages(0, v, Uint8Array)],
  ['offset', (v) => pool.offset(v)],
  [
    'setWatermarks',
    (v) => {
      pool.setWatermarks(v);
    },
  ],
  [
    'setWatermarks.min',
    (v) => {
      pool.setWatermarks({ min: v, low: v, high: v });
    },
  ],
  [
    'setWatermarks.high',
    (v) => {
      pool.setWatermarks({ min: 0, low: 0, high: v });
    },
  ],
  ['onLow', (v) => pool.onLow(v), ['a function']],
  [
    'onPressure',
    (v) => {
      pool.onPressure(v);
    },
    ['undefined', 'a function'],
  ],
  ['wait.words', (v) => pool.wait(v, 0, 0, 0)],
  ['wait.index', (v) => pool.wait(sleepWords, v, 1, 0)],
  ['wait.value', (v) => pool.wait(sleepWords, 0, v, 0), ['-1']],
  optional('wait.ms', (v) => pool.wait(sleepWords, 0, 1, v), ['1.5', 'Infinity', ...big]),
  ['fragmentation', (v) => pool.fragmentation(v)],
  [
    'walk',
    (v) => {
      pool.walk(v);
    },
    ['a function'],
  ],
  ['reclaimThread', (v) => pool.reclaimThread(v)],
  ['snapshot', (v) => pool.snapshot(v), ['undefined', ...objects]],
];

const machineRows: Row[] = [
  ['create.memmap', (v) => PageAllocator.create(v, [spec])],
  ['create.zones', (v) => PageAllocator.create(memmap, v)],
  ['create.zone', (v) => PageAllocator.create(memmap, [v])],
  ...(['nid', 'zone', 'startPfn', 'endPfn', 'presentPages'] as const).map((field): Row => [
    `create.zone.${field}`,
    (v) => PageAllocator.create(memmap, [{ ...spec, [field]: v }]),
  ]),
  ...(['threads', 'workers', 'guardMinOrder', 'lockTimeoutMs'] as const).map((field) =>
    optional(`create.${field}`, (v) => PageAllocator.create(memmap, [spec], { [field]: v }), [
      ...(field === 'lockTimeoutMs' ? ['1.5', 'Infinity', ...big] : []),
    ]),
  ),
  ...(['grouping', 'caches', 'deepCaches'] as const).map((field) =>
    optional(`create.${field}`, (v) => PageAllocator.create(memmap, [spec], { [field]: v }), [
      'true',
    ]),
  ),
  optional('create.distance', (v) => PageAllocator.create(memmap, [spec], { distance: v }), [
    'a function',
  ]),
  ['attach', (v) => PageAllocator.attach(v)],
  [
    'setHooks',
    (v) => {
      machine.setHooks(v);
    },
    objects,
  ],
  ...(['grow', 'accept', 'onPressure', 'isMovable'] as const).map((hook) =>
    optional(
      `setHooks.${hook}`,
      (v) => {
        machine.setHooks({ [hook]: v });
      },
      [...(hook === 'accept' ? [] : ['a function'])],
    ),
  ),
  ['zone.nid', (v) => machine.zone(v, 'Normal')],
  ['zone.name', (v) => machine.zone(0, v)],
  [
    'buildZonelists',
    (v) => {
      machine.buildZonelists(v);
    },
    ['undefined', 'a function'],
  ],
  ['freeBlocks.start', (v) => machine.freeBlocks(v, 8)],
  ['freeBlocks.end', (v) => machine.freeBlocks(0, v)],
  ['allocPages.order', (v) => machine.allocPages(v)],
  ['allocPages.options', (v) => machine.allocPages(0, v), ['undefined', ...objects]],
  ...(['migratetype', 'zone', 'nid'] as const).map((field) =>
    optional(`allocPages.${field}`, (v) => machine.allocPages(0, { [field]: v })),
  ),
  ...(['high', 'thisNode', 'canReclaim', 'memalloc', 'noFragment', 'tryLock'] as const).map(
    (flag) => optional(`allocPages.${flag}`, (v) => machine.allocPages(0, { [flag]: v }), ['true']),
  ),
  [
    'freePages.pfn',
    (v) => {
      machine.freePages(v, 0);
    },
  ],
  [
    'freePages.order',
    (v) => {
      machine.freePages(page, v);
    },
  ],
  ['allocBulk.count', (v) => machine.allocBulk(v, [])],
  ['allocBulk.out', (v) => machine.allocBulk(2, v), ['[]', '[4]']],
  ['allocExact', (v) => machine.allocExact(v)],
  ['allocContigRange.start', (v) => machine.allocContigRange(v, 8)],
  ['allocContigRange.end', (v) => machine.allocContigRange(5, v)],
  ['allocContigRange.move', (v) => machine.allocContigRange(0, 8, v), ['undefined', 'a function']],
  ['isolate', (v) => machine.isolate(v)],
  ['unisolate', (v) => machine.unisolate(v)],
  ['settleMoves', (v) => machine.settleMoves(v), ['a function']],
  ['compact.move', (v) => machine.compact(0, 'Normal', v), ['a function']],
  ['compact.zone', (v) => machine.compact(0, v, always)],
  [
    'parkUnaccepted',
    (v) => {
      machine.parkUnaccepted(v, 0);
    },
  ],
  [
    'parkUnaccepted.pfn',
    (v) => {
      machine.parkUnaccepted(zoneId, v);
    },
  ],
  ['takeUnaccepted', (v) => machine.takeUnaccepted(v)],
  ['takeUnacceptedAt', (v) => machine.takeUnacceptedAt(v), ['2^31', '2^32']],
  [
    'freeAccepted.pfn',
    (v) => {
      machine.freeAccepted(v, 0);
    },
  ],
  [
    'freeAccepted.order',
    (v) => {
      machine.freeAccepted(page, v);
    },
  ],
  ['unacceptedPages', (v) => machine.unacceptedPages(v)],
  ['acceptState.order', (v) => machine.acceptState(zoneId, v)],
  [
    'setupMarks',
    (v) => {
      machine.setupMarks(v);
    },
    ['undefined', ...objects],
  ],
  ...(['minFreeKbytes', 'watermarkScaleFactor'] as const).map((field) =>
    optional(`setupMarks.${field}`, (v) => {
      machine.setupMarks({ [field]: v });
    }),
  ),
  ['reclaimThread', (v) => machine.reclaimThread(v)],
];

/** Everything of an allocator that a call could change. */
function stateOf(): unknown {
  const words = (control: Int32Array): string => control.slice(0, 600).join();
  return [
    pool.stats(),
    plain.stats(),
    words(machine.toHandle().control),
    pool.toHandle().threads.words.join(),
  ];
}

test.each([
  ...poolRows.map(([name, ...row]) => [`BuddyAllocator.${name}`, ...row] as const),
  ...machineRows.map(([name, ...row]) => [`PageAllocator.${name}`, ...row] as const),
])('%s refuses what is no value for it', (_name, call, allowed = []) => {
  const before = stateOf();
  for (const [text, value] of BAD) {
    if (allowed.includes(text)) continue;
    let outcome: unknown = 'accepted';
    try {
      call(value as never);
    } catch (error) {
      outcome = error instanceof BuddyError ? 'coded' : String(error);
      // Details must survive the way to another thread.
      if (error instanceof BuddyError) structuredClone(error.details);
    }
    expect([text, outcome]).toEqual([text, 'coded']);
  }
  expect(stateOf()).toEqual(before);
});
