import { expect, test } from '@jest/globals';
import { createNoneBackend } from '@bootmem/unaccepted-memory/platform';
import { Work } from '../dist/memory/announcements.js';
import { openViews } from '../dist/memory/layout.js';
import { newState } from '../dist/memory/new-state.js';
import { Participants } from '../dist/memory/participants.js';

/** Participants of one state, as two threads see them. */
function two(): [Participants, Participants] {
  const { buffer, threads } = newState({
    ranges: [{ start: 0, end: 2 ** 24 }],
    backend: createNoneBackend(),
  });
  const views = openViews(buffer, threads);
  return [new Participants(views), new Participants(views)];
}

/** The thread of the returned id has died inside units 1 and 2. */
function deadInside(participants: Participants): number {
  const id = participants.join();
  participants.announcements.announce(id, participants.tag(id), Work.ACCEPT, 1, 3);
  participants.markDead([id], undefined);
  return id;
}

test('two threads give the same dead slot back: what its next owner announces meanwhile stands', () => {
  const [one, other] = two();
  const dead = deadInside(one);
  const heir = (): void => {
    other.release(dead);
    expect(other.join()).toBe(dead);
    other.announcements.announce(dead, other.tag(dead), Work.ACCEPT, 5, 7);
  };
  // The other one comes between any look of this one at the slot and what it does then.
  let due = true;
  const { registry } = one;
  const isDead = registry.isDead.bind(registry);
  const release = registry.release.bind(registry);
  const first = (): void => {
    if (due) heir();
    due = false;
  };
  registry.isDead = (id) => {
    const verdict = isDead(id);
    first();
    return verdict;
  };
  registry.release = (id) => {
    first();
    release(id);
  };
  one.release(dead);
  expect(due).toBe(false);
  expect(one.announcements.of(dead)).toMatchObject({ start: 5, end: 7 });
  // And a third time, late.
  one.release(dead);
  expect(one.announcements.of(dead)).toMatchObject({ start: 5, end: 7 });
  expect(other.isAlive(dead, false)).toBe(true);
});

test('what a dead thread announced is not its next owner’s, whether that one starts or not', () => {
  const [one] = two();
  const dead = deadInside(one);
  expect(one.leftOf(dead)).toMatchObject({ start: 1, end: 3 });
  one.release(dead);
  expect(one.announcements.of(dead)).toBeUndefined();
  expect(one.leftOf(dead)).toBeUndefined();
  // Reserved for a thread that never came.
  expect(one.reserve()).toBe(dead);
  one.markDead([dead], undefined);
  expect(one.leftOf(dead)).toBeUndefined();
  one.release(dead);
  expect(deadInside(one)).toBe(dead);
  one.release(dead);
  // Taken by one that did nothing yet, after one that died.
  expect(one.join()).toBe(dead);
  one.markDead([dead], undefined);
  expect(one.leftOf(dead)).toBeUndefined();
});

test('all who announce one kind of work, by id; who has ended does not count', () => {
  const [one, other] = two();
  deadInside(one);
  const ids = [one.join(), other.join(), other.join()];
  one.announcements.announce(ids[0]!, one.tag(ids[0]!), Work.ACCEPT, 3, 4);
  one.announcements.announce(ids[1]!, one.tag(ids[1]!), Work.CONVERT, 4, 5);
  one.announcements.announce(ids[2]!, one.tag(ids[2]!), Work.ACCEPT, 6, 9);
  expect(other.announcements.all(Work.ACCEPT).map(({ id, start }) => [id, start])).toEqual([
    [ids[0], 3],
    [ids[2], 6],
  ]);
  expect(other.announcements.all(Work.CONVERT)).toHaveLength(1);
});
