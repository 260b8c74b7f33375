// The owner's end of a ring and what a thread leaves in a slot, step by step: the test itself is the thread.
import { expect, test } from '@jest/globals';
import { toErrorRecord } from '../dist/base/error-record.js';
import {
  Kind,
  SLOT,
  SLOT_NUMBER,
  STATE_BITS,
  STATE_MASK,
  SlotState,
  slotNumber,
  slotWord,
} from '../dist/protocol/ring-layout.js';
import type { RingMemory } from '../dist/protocol/ring-layout.js';
import { LooseRing } from '../dist/loose/loose-ring.js';
import type { JobContext } from '@bootmem/padata/worker';
import { SlotRing } from '../dist/ring/slot-ring.js';
import type { FromWorker } from '../dist/protocol/messages.js';
import { SlotOutcome } from '../dist/slot/slot-outcome.js';
import type { SlotRunner } from '../dist/slot/slot-runner.js';
import { runnerOf } from './fixtures/one-thread.js';
import { readValue } from '../dist/values/slot-values.js';

const WINDOW = 4;
const WORKER = 1;

function ring(retries = 0, Ring = SlotRing, onOutcome?: (failed: boolean) => void): SlotRing {
  return new Ring(
    {
      id: 1,
      window: WINDOW,
      arenaBytes: 4096,
      slotBytes: 512,
      outputBytes: (n) => n,
      firstSequence: 0,
      shared: true,
      copyBytes: true,
      retries,
      capacity: 1,
      onOutcome,
    },
    {
      threads: 1,
      atOnce: 1,
      handOver: () => undefined,
      tellPart: () => undefined,
      deliverSoon: () => undefined,
      beginLong: () => undefined,
    },
  );
}
const base = (sequence: number): number => slotWord(WINDOW, sequence);
/** The thread has taken this job. */
function take({ words }: RingMemory, sequence: number): void {
  words[base(sequence) + SLOT.STATE] = SlotState.RUNNING | (WORKER << STATE_BITS);
}
const host = (posted: FromWorker[] = []) => ({
  worker: WORKER,
  post: (message: FromWorker) => posted.push(structuredClone(message)),
});

const RINGS: readonly (readonly [string, typeof SlotRing])[] = [
  ['with an order', SlotRing],
  ['without an order', LooseRing as unknown as typeof SlotRing],
];

test.each(RINGS)(
  'a callback that leads to another delivery ends before the next one begins, %s',
  (_what, Ring) => {
    const owner = ring(0, Ring);
    const outcome = new SlotOutcome(1, owner.memory, host());
    const log: string[] = [];
    for (const n of [0, 1, 2]) {
      owner.submit(
        n,
        (_error, value, sequence) => {
          log.push(`${sequence} begins with ${value as number}`);
          // As a blocking range job does that finds the message of a thread.
          log.push(`${owner.deliver(WINDOW, 0)} within`);
          log.push(`${sequence} ends`);
        },
        undefined,
        0,
        0,
      );
      take(owner.memory, n);
      outcome.finish(base(n), 10 * n);
    }
    expect(owner.deliver(WINDOW, 0)).toBe(3);
    expect(log).toEqual(
      [0, 1, 2].flatMap((n) => [`${n} begins with ${10 * n}`, '0 within', `${n} ends`]),
    );
  },
);

test.each(RINGS)(
  'a job that gets the slot while an outcome is counted changes nothing of it, %s',
  (_what, Ring) => {
    const told: string[] = [];
    const submit = (name: string, isAwaited: boolean): void => {
      const settle =
        (how: string) =>
        (value: unknown): void => {
          told.push(`${name} ${how} ${String(value)}`);
        };
      const callback = (error: unknown, value: unknown): void => {
        settle('told')(error ?? value);
      };
      expect(
        isAwaited
          ? owner.submit(1, settle('gives'), undefined, 0, 0, false, settle('fails'))
          : owner.submit(1, callback, undefined, 0, 0),
      ).toBe(true);
    };
    // As a series does that a failure stops: whoever hears of it submits again.
    const late = ['awaited later', 'told later'];
    const owner = ring(0, Ring, () => {
      const name = late.shift();
      if (name !== undefined) submit(name, name.startsWith('awaited'));
    });
    submit('told', false);
    submit('awaited', true);
    submit('a', false);
    submit('b', false);
    const outcome = new SlotOutcome(1, owner.memory, host());
    const finish = (n: number, value: unknown): void => {
      take(owner.memory, n);
      outcome.finish(base(n), value);
      owner.deliver(1, 0);
    };
    finish(0, 'first');
    finish(1, 'second');
    expect(told).toEqual(['told told first', 'awaited gives second']);
    for (const n of [2, 3, 4, 5]) finish(n, n);
    expect(told.slice(2)).toEqual([
      'a told 2',
      'b told 3',
      'awaited later gives 4',
      'told later told 5',
    ]);
  },
);

const bytes = (length: number, value: number) => new Uint8Array(length).fill(value);
test.each([
  ['number', 7, 'a text that is its result'],
  ['text', 'input', 8],
  ['bytes', bytes(40, 1), undefined],
  ['plain data', { a: [1, 'two'] }, 9.5],
  ['undefined', undefined, bytes(8, 2)],
])(
  'a thread that ends between its result and DONE: the job is run again with its own input, %s',
  (_what, input, result) => {
    const owner = ring(1);
    const { memory } = owner;
    const outcomes: unknown[] = [];
    owner.submit(input, (error, value) => outcomes.push(error ?? value), undefined, 0, 0);
    take(memory, 0);
    const outcome = new SlotOutcome(1, memory, host());
    outcome.finish(base(0), result);
    // All of it was written, and the last step was not done.
    take(memory, 0);
    owner.workerDied(WORKER, 1, undefined);
    expect(memory.words[base(0) + SLOT.STATE]! & STATE_MASK).toBe(SlotState.READY);
    expect(readValue(memory, base(0), 0)).toEqual(input);
    take(memory, 0);
    outcome.finish(base(0), 'second');
    owner.deliver(WINDOW, 0);
    expect(outcomes).toEqual(['second']);
    expect(owner.retried).toBe(1);
  },
);

const failure = new RangeError('failure');
test.each<[string, unknown, number, FromWorker['t'] | undefined]>([
  ['number', 7.5, Kind.NUMBER, undefined],
  ['text', 'text', Kind.TEXT, undefined],
  ['bytes', bytes(16, 3), Kind.BYTES, undefined],
  ['plain data', { a: 1 }, Kind.PLAIN, undefined],
  ['null', null, Kind.NULL, undefined],
  ['class instance', new Map([[1, 2]]), Kind.MESSAGE, 'result'],
  ['failure', failure, Kind.ERROR, 'jobFailed'],
  ['what cannot be cloned', () => 1, Kind.ERROR, 'jobFailed'],
])('DONE is the last step of a job that ends with: %s', (_what, value, kind, message) => {
  const owner = ring();
  const { words, numbers } = owner.memory;
  owner.submit(1, () => undefined, undefined, 0, 0);
  take(owner.memory, 0);
  const posted: FromWorker[] = [];
  const outcome = new SlotOutcome(1, owner.memory, host(posted));
  const seen: unknown[] = [];
  const { store } = Atomics;
  // What another thread could see from this step on.
  Atomics.store = ((array: Int32Array, index: number, state: number) => {
    if (array === words && index === base(0) + SLOT.STATE && state === SlotState.DONE) {
      seen.push([words[base(0) + SLOT.KIND], posted.at(-1)?.t]);
      if (kind < Kind.MESSAGE) seen.push(readValue(owner.memory, base(0), 0));
    }
    return store(array, index, state);
  }) as typeof store;
  try {
    if (value === failure) outcome.fail(base(0), value);
    else outcome.finish(base(0), value);
  } finally {
    Atomics.store = store;
  }
  expect(seen).toEqual(kind < Kind.MESSAGE ? [[kind, message], value] : [[kind, message]]);
  if (value === failure) expect(posted).toMatchObject([{ error: toErrorRecord(failure) }]);
  if (kind === Kind.NUMBER) expect(numbers[slotNumber(0) + SLOT_NUMBER.VALUE]).toBe(value);
});

test.each([
  ['has views of its bytes', SlotState.HOLDING, false],
  ['has none, but may still look whether it was aborted', SlotState.PENDING, false],
  ['has ended', SlotState.DONE, true],
])('memory of a ring whose abandoned function %s', (_what, state, isUnseen) => {
  const owner = ring();
  const error = new Error('enough');
  const outcomes: unknown[] = [];
  owner.submit(1, (reason) => outcomes.push(reason), undefined, 0, 0);
  take(owner.memory, 0);
  if (state === SlotState.DONE) new SlotOutcome(1, owner.memory, host()).fail(base(0), error);
  else {
    owner.memory.words[base(0) + SLOT.STATE] = state | (WORKER << STATE_BITS);
    expect(owner.ends.abandon(0, error)).toBe(true);
  }
  if (state === SlotState.DONE) owner.reply(0, { failed: true, value: error });
  owner.deliver(WINDOW, 0);
  expect(outcomes).toEqual([error]);
  expect(owner.outstanding).toBe(0);
  expect(owner.isUnseen).toBe(isUnseen);
});

/** A thread whose jobs the test ends. */
function threadOf(owner: SlotRing, posted: FromWorker[] = []): SlotRunner {
  const post = (message: FromWorker): unknown => posted.push(message);
  return runnerOf(owner, { worker: WORKER, post }, { pendingPerThread: 4 });
}

test("an abandoned function says when it has ended, from which on its bytes are nobody's", async () => {
  const owner = ring();
  const posted: FromWorker[] = [];
  const runner = threadOf(owner, posted);
  let end!: () => void;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  runner.fn = () => ended;
  owner.allow([WORKER]);
  owner.submit(new Uint8Array(100), () => undefined, undefined, 0, 0);
  expect(runner.scan()).toBe(true);
  expect(owner.ends.abandon(0, new Error('enough'))).toBe(true);
  runner.abandon(0);
  owner.deliver(WINDOW, 0);
  expect([owner.outstanding, owner.isUnseen, posted]).toEqual([0, false, []]);
  end();
  await new Promise((resolve) => setImmediate(resolve));
  expect(posted).toEqual([{ t: 'ended', ring: 1, seq: 0 }]);
});

test('a function that was given bytes holds them; those after it hold none for that', () => {
  const owner = ring();
  const runner = threadOf(owner);
  const never = new Promise<void>(() => undefined);
  const asks = (_input: unknown, context: JobContext): unknown => {
    context.output(8);
    return never;
  };
  const functions = [
    (_input: unknown, context: JobContext): unknown => context.output(8).length,
    (): unknown => never,
    asks,
    (): unknown => never,
  ];
  runner.fn = (input, context) => functions[input as number]!(input, context as JobContext);
  owner.allow([WORKER]);
  for (let n = 0; n < 4; n += 1) owner.submit(n, () => undefined, undefined, 0, 0);
  while (runner.scan());
  const states = [0, 1, 2, 3].map((n) => owner.memory.words[base(n) + SLOT.STATE]! & STATE_MASK);
  const { DONE, PENDING, HOLDING } = SlotState;
  expect(states).toEqual([DONE, PENDING, HOLDING, PENDING]);
});
