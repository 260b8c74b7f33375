// Which rings a turn of the owner looks at.
import { expect, test } from '@jest/globals';
import { BusyRings } from '../dist/turns/busy-rings.js';
import type { RingEntry } from '../dist/turns/ring-entry.js';

function setUp(count: number) {
  const rings = Array.from({ length: count }, (_, id) => ({
    id,
    outstanding: 0,
    isListed: false,
    closed: false,
  }));
  const entries = new Map(rings.map((ring) => [ring.id, { ring } as unknown as RingEntry]));
  const busy = new BusyRings(entries);
  const submit = (id: number): void => {
    rings[id]!.outstanding += 1;
    if (!rings[id]!.isListed) busy.note(rings[id] as never);
  };
  const listed = (): number[] => busy.list.map(({ ring }) => ring.id);
  return { rings, entries, busy, submit, listed };
}

test('a turn looks at the rings with jobs out, each once, and at no other', () => {
  const { rings, busy, submit, listed } = setUp(1000);
  expect(busy.isAnyOut).toBe(false);
  for (const id of [700, 3, 700, 5]) submit(id);
  expect(listed()).toEqual([700, 3, 5]);
  expect(busy.isAnyOut).toBe(true);
  rings[3]!.outstanding = 0;
  busy.tidy();
  expect(listed()).toEqual([700, 5]);
  submit(3);
  expect(listed()).toEqual([700, 5, 3]);
});

test('a ring whose jobs are all delivered stays until the next turn begins, and counts as none', () => {
  const { rings, busy, submit, listed } = setUp(2);
  submit(1);
  rings[1]!.outstanding = 0;
  expect(busy.isAnyOut).toBe(false);
  submit(1);
  expect(listed()).toEqual([1]);
  rings[1]!.outstanding = 0;
  busy.tidy();
  expect(listed()).toEqual([]);
});

test('a ring that is closed or forgotten is not looked at', () => {
  const { rings, entries, busy, submit, listed } = setUp(3);
  submit(0);
  submit(1);
  rings[0]!.closed = true;
  entries.delete(2);
  submit(2);
  busy.tidy();
  expect(listed()).toEqual([1]);
});

test('what is submitted while a turn goes through the list has its turn too', () => {
  const { busy, submit } = setUp(3);
  submit(0);
  const seen: number[] = [];
  for (const { ring } of busy.list) {
    seen.push(ring.id);
    if (ring.id < 2) submit(ring.id + 1);
  }
  expect(seen).toEqual([0, 1, 2]);
});
