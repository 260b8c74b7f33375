// The owner's end of a ring without an order, step by step: the test itself is the threads.
import { expect, test } from '@jest/globals';
import { LooseRing } from '../../dist/loose/loose-ring.js';
import { loose, ring as steps } from '../../dist/protocol/machine.js';
import type { FromWorker } from '../../dist/protocol/messages.js';
import { HEAD } from '../../dist/protocol/control-layout.js';
import {
  RING,
  RING_HEAD_WORDS,
  SLOT,
  SLOT_WORDS,
  STATE_BITS,
  SlotState,
  slotWord,
} from '../../dist/protocol/ring-layout.js';
import type { RingBlock } from '../../dist/ring/ring-store.js';
import { SlotOutcome } from '../../dist/slot/slot-outcome.js';

const WINDOW = 4;
const WORKER = 1;

function setUp(arenaBytes = 4096, block?: RingBlock) {
  const options = { id: 1, window: WINDOW, arenaBytes, slotBytes: 400, firstSequence: 0 };
  const none = { retries: 0, onOutcome: undefined, outputBytes: (n: number) => n };
  let deliveries = 0;
  const owner = new LooseRing(
    { ...options, ...none, block, shared: true, copyBytes: false, capacity: 2 },
    {
      threads: 2,
      atOnce: 2,
      handOver: () => undefined,
      tellPart: () => undefined,
      deliverSoon: () => (deliveries += 1),
      beginLong: () => undefined,
    },
  );
  const posted: FromWorker[] = [];
  const outcome = new SlotOutcome(1, owner.memory, {
    worker: WORKER,
    post: (message) => posted.push(structuredClone(message)),
  });
  const { words } = owner.memory;
  const told: unknown[] = [];
  const submit = (
    input: unknown,
    callback = (error: unknown, value: unknown) => void told.push(error ?? value),
  ) => owner.submit(input, callback, undefined, 0, 0);
  const base = (index: number): number => slotWord(WINDOW, index);
  /** The thread has taken the job of this slot, and ends it. */
  const end = (index: number, value: unknown): void => {
    words[base(index) + SLOT.STATE] = SlotState.RUNNING | (WORKER << STATE_BITS);
    outcome.finish(base(index), value);
  };
  /** Slots of the jobs that a thread which looks for one now gets, in turn. */
  const reserve = (): number[] => {
    const taken = { count: 0 };
    const first = steps.reserve(words, 64, 1, taken);
    return Array.from({ length: taken.count }, (_, i) => {
      const at = loose.slotAt(words, WINDOW, (first + i) | 0);
      return words[at + SLOT.SEQ]! & (WINDOW - 1);
    });
  };
  return { owner, words, posted, told, submit, base, end, reserve, deliveries: () => deliveries };
}

test('what a thread had reserved and not begun when it ended is on offer again, to threads that only reserve', () => {
  const { owner, words, told, submit, base, end, reserve } = setUp();
  for (const input of [1, 2, 3]) submit(input);
  expect(reserve()).toEqual([0, 1, 2]);
  expect(reserve()).toEqual([]);
  end(0, 'one');
  words[base(1) + SLOT.STATE] = SlotState.RUNNING | (WORKER << STATE_BITS);
  owner.workerDied(WORKER, 9, undefined);
  expect(reserve()).toEqual([2]);
  end(2, 'three');
  expect(owner.deliver(WINDOW, 0)).toBe(3);
  expect(told).toEqual([
    'one',
    expect.objectContaining({ code: 'ERR_PADATA_WORKER_DIED' }),
    'three',
  ]);
});

test('a word about a job that is over is none about the job that has its slot now', () => {
  const { owner, posted, told, submit, end } = setUp();
  submit(0);
  const over = owner.newest;
  end(0, 'zero');
  owner.deliver(WINDOW, 0);
  for (const input of [1, 2, 3, 4]) submit(input);
  const { newest } = owner;
  expect(newest & (WINDOW - 1)).toBe(over & (WINDOW - 1));
  expect([owner.isOut(over), owner.isOut(newest)]).toEqual([false, true]);
  end(0, new Map([[4, 4]]));
  owner.onReply({ t: 'result', ring: 1, seq: over >>> 0, value: 'late' });
  expect(owner.anyDone()).toBe(false);
  owner.onReply(posted[0] as Extract<FromWorker, { t: 'result' }>);
  owner.deliver(WINDOW, 0);
  expect(told).toEqual(['zero', new Map([[4, 4]])]);
});

test("the bytes of a result are nobody else's until its callback has returned", () => {
  const { owner, submit, end } = setUp(512);
  const seen: unknown[] = [];
  const bytes = (value: number): Uint8Array => new Uint8Array(200).fill(value);
  submit(bytes(1), (_error, value) => {
    // There is room for one of them where it lies: the arena grows for the other.
    seen.push(
      submit(bytes(3)),
      (value as Uint8Array).every((byte) => byte === 2),
    );
  });
  end(0, bytes(2));
  expect(owner.deliver(WINDOW, 0)).toBe(1);
  expect(seen).toEqual([true, true]);
  expect(owner.memory.arena.added).toHaveLength(1);
});

test('the owner is woken when as many have ended as it awaits, or by whoever has nothing more to do', () => {
  const { owner, words, submit, end } = setUp();
  for (const input of [1, 2, 3, 4]) submit(input);
  const control = new Int32Array(1024);
  loose.passed(words, 0, 3);
  control[HEAD.OWNER_ASLEEP] = 1;
  expect(loose.mustTell(words, control)).toBe(false);
  end(0, 1);
  end(1, 2);
  expect(loose.mustWake(words, control)).toBe(false);
  expect(loose.mustTell(words, control)).toBe(true);
  expect(control[HEAD.OWNER_ASLEEP]).toBe(0);
  expect(loose.mustTell(words, control)).toBe(false);
  control[HEAD.OWNER_ASLEEP] = 1;
  end(2, 3);
  expect(loose.mustWake(words, control)).toBe(true);
  expect(owner.deliver(4, 0)).toBe(3);
  // What was taken is counted no more.
  control[HEAD.OWNER_ASLEEP] = 1;
  loose.passed(words, 0, 2);
  end(3, 4);
  expect(loose.mustWake(words, control)).toBe(false);
  loose.passed(words, 0, 1);
  expect(loose.mustWake(words, control)).toBe(true);
});

test('whoever looks at what is out takes what has ended from the threads: it is told by a delivery of its own', () => {
  const { owner, words, told, submit, end, deliveries } = setUp();
  const looks: readonly ((sequence: number) => unknown)[] = [
    () => owner.jobs(),
    (sequence) => owner.isOut(sequence),
    (sequence) => owner.hasEnded(sequence),
    () => owner.headState(),
    () => owner.busyJobs(),
    () => owner.unbegun(4),
  ];
  for (const [n, look] of looks.entries()) {
    submit(n);
    // It is woken when more have ended, and there will be no more.
    words[RING.WAKE_AT] = 2;
    const sequence = owner.newest;
    look(sequence);
    expect(deliveries()).toBe(n);
    end(sequence & (WINDOW - 1), n);
    look(sequence);
    look(sequence);
    expect(words[RING.ENDED]).toBe(0);
    expect(deliveries()).toBe(n + 1);
    owner.deliver(1, 0);
    expect(told.at(-1)).toBe(n);
  }
  // In a delivery it is seen anyway.
  const index = (): number => owner.newest & (WINDOW - 1);
  submit(10, () => void (end(index(), 11), owner.jobs()));
  end(index(), 10);
  submit(11);
  owner.deliver(4, 0);
  expect(told.at(-1)).toBe(11);
  expect(deliveries()).toBe(looks.length);
});

test('jobs that take a moment are told several at a time, while many are out', () => {
  const { owner, words, submit, end } = setUp();
  // 0.04 ms
  words[RING.RUN_NS] = 40_000;
  expect(words[RING.WAKE_AT]).toBe(1);
  for (const input of [1, 2, 3]) submit(input);
  // The callback asks for two more: four are out, and at most a quarter of those are awaited behind the next.
  owner.submit(4, () => void (submit(5), submit(6)), undefined, 0, 0);
  end(3, 4);
  owner.deliver(1, 0);
  expect(owner.awaitLater()).toBe(true);
  expect(words[RING.WAKE_AT]).toBe(2);
  // One has ended, two are awaited, and others wait for a thread: the owner may sleep.
  end(0, 1);
  expect(owner.isDue()).toBe(false);
  words[RING.CLAIM] = words[RING.PUBLISHED]!;
  expect(owner.isDue()).toBe(true);
  owner.deliver(1, 0);
  expect(owner.awaitLater()).toBe(false);
  expect(words[RING.WAKE_AT]).toBe(1);
});

test('the count of what has ended stops where it may, and loses nobody', () => {
  const words = new Int32Array(RING_HEAD_WORDS + 4096 * SLOT_WORDS);
  const control = new Int32Array(1024);
  for (let index = 0; index < 4096; index += 1) loose.finish(words, slotWord(4096, index));
  control[HEAD.OWNER_ASLEEP] = 1;
  loose.passed(words, 0, 65_536);
  expect(loose.mustWake(words, control)).toBe(true);
  let found = 0;
  for (let base = loose.collect(words); base !== 0; base = loose.endedAfter(words, base)) {
    expect(base).toBe(slotWord(4096, found));
    found += 1;
  }
  expect(found).toBe(4096);
});

test('a ring that is closed takes nothing of the one that has its memory now', () => {
  const before = setUp();
  before.submit(1);
  const over = before.owner.newest;
  before.end(0, 'one');
  before.owner.deliver(WINDOW, 0);
  before.owner.closed = true;
  const { memory, arenaBytes, stats } = before.owner;
  const after = setUp(4096, { memory, arenaBytes, stats });
  after.submit(2);
  after.end(0, 'two');
  // Whoever has asked the first job to stop looks whether it has.
  expect(before.owner.ends.begunState(over)).toBeUndefined();
  expect(before.owner.hasEnded(over)).toBe(true);
  expect(before.owner.busyJobs()).toBe(0);
  expect(before.owner.anyDone()).toBe(false);
  expect(after.owner.deliver(WINDOW, 0)).toBe(1);
  expect([before.told, after.told]).toEqual([['one'], ['two']]);
});
