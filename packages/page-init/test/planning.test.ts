import { expect, test } from '@jest/globals';
import { type InitInput, planInit, profileForRelease } from '@bootmem/page-init';
import { splitJobs } from '@bootmem/page-init/deferred';
import { ARM64_64K } from '@bootmem/memmap';
import { runOf, SECTION, tinyPlan, TINY } from './machines.js';

const PROFILE_6_12 = profileForRelease('6.12');

const firstOf = (input: Parameters<typeof tinyPlan>[0], nid = 0): number | undefined =>
  tinyPlan(input).nodes.find((node) => node.nid === nid)?.firstDeferredPfn;

test('a zone that starts at a section defers after exactly one section', () => {
  expect(firstOf({ memory: [{ startPfn: 0, endPfn: 10 * SECTION, nid: 0 }] })).toBe(SECTION);
});

test('a zone that starts inside a section defers at the second border', () => {
  expect(firstOf({ memory: [{ startPfn: 10, endPfn: 10 * SECTION, nid: 0 }] })).toBe(2 * SECTION);
});

test('holes are not counted, and a border inside a hole is missed', () => {
  // |0....40|   hole   |70 ...: 40 pages, then 24 more by pfn 94; the next border is 128.
  const memory = [
    { startPfn: 0, endPfn: 40, nid: 0 },
    { startPfn: 70, endPfn: 640, nid: 0 },
  ];
  expect(firstOf({ memory })).toBe(128);
  const late = [
    { startPfn: 0, endPfn: 64, nid: 0 },
    { startPfn: 65, endPfn: 640, nid: 0 },
  ];
  expect(firstOf({ memory: late })).toBe(128);
});

test('the candidate itself counts, and must be more than a section: exactly a section is too few', () => {
  // 63 pages, a hole of one: pfn 64 is the 64th page, not the 65th.
  const short = [
    { startPfn: 0, endPfn: 63, nid: 0 },
    { startPfn: 64, endPfn: 640, nid: 0 },
  ];
  expect(firstOf({ memory: short })).toBe(128);
});

test('a node smaller than a section is never deferred', () => {
  const memory = [
    { startPfn: 0, endPfn: 50, nid: 0 },
    { startPfn: 50, endPfn: 640, nid: 1 },
  ];
  const plan = tinyPlan({ memory });
  expect(plan.nodes.map((node) => node.firstDeferredPfn)).toEqual([undefined, 128]);
});

test('several memory regions in one zone do not turn deferral off (the zone end counts)', () => {
  // Three regions of 30 pages: the count passes one section only in the third, next border 256.
  const memory = [4, 70, 130, 200].map((s) => ({ startPfn: s, endPfn: s + 30, nid: 0 }));
  expect(firstOf({ memory })).toBeUndefined();
  expect(firstOf({ memory: [...memory, { startPfn: 240, endPfn: 400, nid: 0 }] })).toBe(256);
});

test('only the last zone of a node is deferred', () => {
  const memory = [{ startPfn: 0, endPfn: 640, nid: 0 }];
  const zones = [
    { nid: 0, zoneIndex: 1, startPfn: 0, endPfn: 320 },
    { nid: 0, zoneIndex: 4, startPfn: 320, endPfn: 640 },
  ];
  const plan = tinyPlan({ memory, zones });
  expect(plan.nodes[0]?.firstDeferredPfn).toBe(384);
  expect(plan.nodes[0]?.deferredZone?.zoneIndex).toBe(4);
});

test('interleaved nodes restart the count of each other', () => {
  // Alone, node 0 would defer at 64; the change to node 1 and back starts the count again.
  const memory = [
    { startPfn: 0, endPfn: 32, nid: 0 },
    { startPfn: 32, endPfn: 48, nid: 1 },
    { startPfn: 48, endPfn: 320, nid: 0 },
    { startPfn: 320, endPfn: 640, nid: 1 },
  ];
  const plan = tinyPlan({ memory });
  expect(plan.nodes.map((node) => node.firstDeferredPfn)).toEqual([128, 384]);
});

test('defer: false initialises everything early', () => {
  const plan = tinyPlan({ memory: [{ startPfn: 0, endPfn: 640, nid: 0 }], defer: false });
  expect(plan.pages).toEqual({
    early: 640,
    reserved: 0,
    unavailable: 0,
    deferred: 0,
    'no-init': 0,
  });
});

test('every page has one owner: early, reserved, unavailable, deferred, no-init', () => {
  const plan = tinyPlan({
    memory: [
      { startPfn: 4, endPfn: 250, nid: 0 },
      { startPfn: 260, endPfn: 500, nid: 0 },
    ],
    reserved: [
      { startPfn: 10, endPfn: 20 },
      { startPfn: 120, endPfn: 140 },
      { startPfn: 200, endPfn: 210, noInit: true },
      { startPfn: 30, endPfn: 32, noInit: true },
    ],
  });
  const owner = (pfn: number): string => {
    const run = runOf(plan, pfn);
    return run === undefined ? 'absent' : `${run.owner}:${run.fate}`;
  };
  expect(owner(0)).toBe('unavailable:reserved');
  expect(owner(4)).toBe('early:free');
  expect(owner(15)).toBe('early:reserved');
  expect(owner(31)).toBe('early:owned');
  expect(owner(125)).toBe('early:reserved');
  expect(owner(130)).toBe('reserved:reserved');
  expect(owner(140)).toBe('deferred:free');
  expect(owner(205)).toBe('no-init:owned');
  expect(owner(255)).toBe('unavailable:reserved');
  expect(owner(511)).toBe('unavailable:reserved');
  expect(owner(512)).toBe('absent');
  const total = Object.values(plan.pages).reduce((a, b) => a + b, 0);
  expect(total).toBe(512);
});

test('a hole is linked to the zone after it, the tail to the zone before it', () => {
  const memory = [
    { startPfn: 0, endPfn: 30, nid: 0 },
    { startPfn: 40, endPfn: 60, nid: 1 },
  ];
  const plan = tinyPlan({ memory });
  expect(runOf(plan, 35)?.nid).toBe(1);
  expect(runOf(plan, 63)?.nid).toBe(1);
  expect(plan.unavailable).toEqual([
    { nid: 1, zoneIndex: 2, pages: 10 },
    { nid: 1, zoneIndex: 2, pages: 4 },
  ]);
});

test('a gap over absent sections is one count', () => {
  const memory = [
    { startPfn: 0, endPfn: 60, nid: 0 },
    { startPfn: 1000, endPfn: 1024, nid: 0 },
  ];
  expect(tinyPlan({ memory }).unavailable).toEqual([{ nid: 0, zoneIndex: 2, pages: 4 + 40 }]);
});

test('kernel profiles give stray reserved pages the first zone that spans them, or none', () => {
  // Node 0 ends at 600; pages 602..605 are reserved firmware tables in the tail of its last section.
  const input = {
    memory: [{ startPfn: 0, endPfn: 600, nid: 0 }],
    reserved: [{ startPfn: 602, endPfn: 605 }],
  };
  expect(runOf(tinyPlan(input), 603)).toMatchObject({ owner: 'unavailable', zoneIndex: 2 });
  const odd = tinyPlan({ ...input, profile: PROFILE_6_12 });
  expect(runOf(odd, 603)).toMatchObject({ owner: 'reserved', zoneIndex: 7, nid: 0 });
  expect(runOf(odd, 601)).toMatchObject({ owner: 'unavailable', zoneIndex: 2 });
  const spanned = tinyPlan({
    profile: PROFILE_6_12,
    memory: [
      { startPfn: 0, endPfn: 300, nid: 0 },
      { startPfn: 310, endPfn: 600, nid: 0 },
    ],
    reserved: [{ startPfn: 302, endPfn: 305 }],
  });
  expect(runOf(spanned, 303)).toMatchObject({ owner: 'reserved', zoneIndex: 2 });
});

test('mirrored memory stays in the zone below ZONE_MOVABLE', () => {
  const plan = tinyPlan({
    memory: [
      { startPfn: 0, endPfn: 128, nid: 0, mirror: true },
      { startPfn: 128, endPfn: 256, nid: 0 },
      { startPfn: 256, endPfn: 320, nid: 0, mirror: true },
    ],
    zones: [
      { nid: 0, zoneIndex: 2, startPfn: 0, endPfn: 320 },
      { nid: 0, zoneIndex: 4, startPfn: 128, endPfn: 320 },
    ],
    defer: false,
  });
  expect([0, 130, 300].map((pfn) => runOf(plan, pfn)?.zoneIndex)).toEqual([2, 4, 2]);
});

test('plain reservations win over no-init ones where they overlap', () => {
  const plan = tinyPlan({
    memory: [{ startPfn: 0, endPfn: 640, nid: 0 }],
    reserved: [
      { startPfn: 100, endPfn: 120, noInit: true },
      { startPfn: 110, endPfn: 130 },
      { startPfn: 130, endPfn: 130 },
    ],
  });
  expect([100, 110, 129].map((pfn) => runOf(plan, pfn)?.owner)).toEqual([
    'no-init',
    'reserved',
    'reserved',
  ]);
});

test('arm64 with 64 KiB pages: a section is one largest block', () => {
  const size = 2 ** ARM64_64K.sectionOrder;
  const plan = planInit({
    geometry: ARM64_64K,
    memory: [{ startPfn: 3 * size, endPfn: 7 * size, nid: 0 }],
    reserved: [],
    zones: [{ nid: 0, zoneIndex: 1, startPfn: 3 * size, endPfn: 7 * size }],
  });
  expect(plan.nodes[0]?.firstDeferredPfn).toBe(4 * size);
});

test.each<[string, Partial<InitInput>]>([
  [
    'overlapping memory',
    {
      memory: [
        { startPfn: 0, endPfn: 9, nid: 0 },
        { startPfn: 8, endPfn: 12, nid: 0 },
      ],
    },
  ],
  ['an empty range', { memory: [{ startPfn: 9, endPfn: 9, nid: 0 }] }],
  ['a page outside all zones', { zones: [{ nid: 0, zoneIndex: 2, startPfn: 0, endPfn: 5 }] }],
])('planInit refuses %s', (_name, change) => {
  const input = {
    memory: [{ startPfn: 0, endPfn: 9, nid: 0 }],
    reserved: [],
    zones: [{ nid: 0, zoneIndex: 2, startPfn: 0, endPfn: 20 }],
    geometry: TINY,
    ...change,
  };
  expect(() => planInit(input)).toThrow(
    expect.objectContaining({ code: 'ERR_PAGE_INIT_ARGUMENT' }),
  );
});

test('[a,b) [c,e) with the border d between c and e: the second job starts at d', () => {
  // a=70 b=100 c=110 d=128 e=300
  const ranges = [
    { startPfn: 70, endPfn: 100 },
    { startPfn: 110, endPfn: 300 },
  ];
  expect(splitJobs('range-groups', ranges, { startPfn: 64, endPfn: 300 }, 64)).toEqual([
    { startPfn: 70, endPfn: 128 },
    { startPfn: 128, endPfn: 320 },
  ]);
  expect(splitJobs('zone', ranges, { startPfn: 64, endPfn: 300 }, 64)).toEqual([
    { startPfn: 64, endPfn: 320 },
  ]);
});

test('ranges that share a section are one job, and ranges done already are none', () => {
  const ranges = [
    { startPfn: 64, endPfn: 66 },
    { startPfn: 70, endPfn: 72 },
    { startPfn: 90, endPfn: 100 },
    { startPfn: 200, endPfn: 210 },
  ];
  expect(splitJobs('range-groups', ranges, { startPfn: 64, endPfn: 256 }, 64)).toEqual([
    { startPfn: 64, endPfn: 128 },
    { startPfn: 200, endPfn: 256 },
  ]);
  expect(splitJobs('range-groups', ranges, { startPfn: 128, endPfn: 256 }, 64)).toEqual([
    { startPfn: 200, endPfn: 256 },
  ]);
});
