// A thread that is told to leave: its loop, with an owner's end that the test plays. It ends when all that has begun has.
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { performance } from '../dist/base/host-time.js';
import { HEAD, WORKER, controlLayout, workerBase } from '../dist/protocol/control-layout.js';
import type { FromWorker, ToWorker } from '../dist/protocol/messages.js';
import { sent } from '../dist/protocol/machine.js';
import { SLOT, STATE_MASK, SlotState, slotWord } from '../dist/protocol/ring-layout.js';
import { SlotRing } from '../dist/ring/slot-ring.js';
import { WorkerCore } from '../dist/loop/worker-core.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));
const gates = Symbol.for('padata test: gates');
const gate = () => {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
};
let imported = gate();
let ended = gate();
let modules = 0;
beforeEach(() => {
  imported = gate();
  ended = gate();
  (globalThis as Record<symbol, unknown>)[gates] = {
    imported: imported.opened,
    ended: ended.opened,
  };
});

afterEach(() => {
  jest.restoreAllMocks();
});

interface Played {
  readonly window?: number;
  /** It is worn when it has run so many jobs. */
  readonly jobs?: number;
  /** The owner hears what it says, and may answer: what comes back is in the mail. */
  readonly hears?: (message: FromWorker) => ToWorker | undefined;
}

/** Worker 1, which runs in this thread, and the owner's end of a ring with one job by message that was sent to it. */
function thread({ window = 4, jobs, hears }: Played = {}) {
  const { wordCount, numberCount } = controlLayout(1);
  const words = new Int32Array(new SharedArrayBuffer(4 * wordCount));
  const numbers = new Float64Array(new SharedArrayBuffer(8 * numberCount));
  const heard: FromWorker[] = [];
  const mail: ToWorker[] = [];
  const wear = jobs === undefined ? undefined : { jobs, heapBytes: undefined };
  /** Looks into the mail since the test had its turn. */
  let looks = 0;
  let exits = 0;
  const core = new WorkerCore(
    { id: 1, capacity: 1, words, numbers, idle: 'loop', setup: undefined, wear },
    {
      post: (message) => {
        heard.push(message as FromWorker);
        const answer = hears?.(message as FromWorker);
        if (answer === undefined) return;
        words[workerBase(1) + WORKER.MAIL]! += 1;
        mail.push(answer);
      },
      receive: () => {
        // One that lets no event in would not end: it is stopped.
        if ((looks += 1) > 1000) words[HEAD.STOP] = 1;
        return mail.shift();
      },
      yieldToEvents: () => turn() as Promise<void>,
      exit: () => (exits += 1),
      tid: 0,
      canBlock: false,
      busyMs: () => undefined,
      heapBytes: () => undefined,
      output: undefined,
    },
  );
  const options = { id: 1, window, arenaBytes: 4096, slotBytes: 64, firstSequence: 0 };
  const none = { retries: 0, onOutcome: undefined, outputBytes: (n: number) => n };
  const ring = new SlotRing(
    { ...options, ...none, shared: true, copyBytes: true, capacity: 1 },
    {
      threads: 1,
      atOnce: 1,
      handOver: () => undefined,
      tellPart: () => undefined,
      deliverSoon: () => undefined,
      beginLong: () => undefined,
    },
  );
  ring.allow([1]);
  const post = (message: ToWorker): void => {
    words[workerBase(1) + WORKER.MAIL]! += 1;
    core.deliver(message);
  };
  const { memory, stats, arenaBytes } = ring;
  const tell = (file = 'gated-jobs', name = 'job'): void => {
    const href = new URL(`./fixtures/${file}.mjs?${(modules += 1)}`, import.meta.url).href;
    const { buffer } = memory;
    const module = { href, name, aloneMs: 0, shared: undefined };
    const times = {
      timeOrigin: performance.timeOrigin,
      threads: 1,
      pendingPerThread: 64,
      copyInput: false,
      outputBytes: 0,
      level: 1,
    };
    const sizes = { window, arenaBytes, parts: [] };
    post({ t: 'ring', ring: 1, ...module, buffer, ...sizes, stats, ...times });
  };
  /** Submits the job and sends its input. */
  const send = (): void => {
    const input = new Map([[1, 2]]);
    ring.submit(input, () => undefined, undefined, 0, 0, false);
    expect(sent.bind(memory.words, slotWord(4, 0), 0, 1)).toBe(true);
    post({ t: 'inputs', ring: 1, jobs: [[0, input]], ask: -1 });
  };
  return {
    core,
    ring,
    words,
    /** The test's turn, while the thread may look for mail that does not come. */
    turnsMail: async (): Promise<void> => {
      looks = 0;
      words[workerBase(1) + WORKER.MAIL]! += 1;
      await turn();
      words[workerBase(1) + WORKER.MAIL]! -= 1;
    },
    heard,
    post,
    tell,
    send,
    get exits() {
      return exits;
    },
    /** Turns of its loop so far. */
    get turns() {
      return words[workerBase(1) + WORKER.TURN]!;
    },
    get isFree() {
      return sent.isFree(words, workerBase(1));
    },
    get state() {
      return Atomics.load(memory.words, slotWord(4, 0) + SLOT.STATE) & STATE_MASK;
    },
  };
}

test('it stays for a job that began while its last import ended', async () => {
  const it = thread();
  const over = it.core.run();
  it.tell();
  it.send();
  await turn();
  while (!it.heard.some(({ t }) => t === 'importing')) await turn();
  const before = it.turns;
  it.post({ t: 'leave', ifIdle: false });
  // It has nothing under way but the import, so from its next turn on it waits for that alone.
  while (it.turns === before) await turn();
  const { turns } = it;
  imported.open();
  while (it.state !== SlotState.PENDING) await turn();
  while (it.exits === 0 && it.turns < turns + 3) await turn();
  expect(it.exits).toBe(0);
  ended.open();
  await over;
  expect(it.exits).toBe(1);
  expect(it.state).toBe(SlotState.DONE);
});

test('it goes when its import has ended and nothing has begun, and is no thread to leave jobs to meanwhile', async () => {
  const it = thread();
  const over = it.core.run();
  it.tell();
  it.post({ t: 'leave', ifIdle: false });
  while (!it.heard.some(({ t }) => t === 'importing')) await turn();
  expect(it.exits).toBe(0);
  expect(it.isFree).toBe(false);
  imported.open();
  await over;
  expect(it.exits).toBe(1);
});

test('it waits for an import that takes its time on a busy machine, and for one that never ends a bounded number of turns', async () => {
  for (const ends of [true, false]) {
    imported = gate();
    (globalThis as Record<symbol, unknown>)[gates] = {
      imported: imported.opened,
      ended: ended.opened,
    };
    const it = thread();
    const over = it.core.run();
    it.tell();
    while (!it.heard.some(({ t }) => t === 'importing')) await turn();
    // A turn takes it a second.
    jest.spyOn(performance, 'now').mockImplementation(() => it.turns * 1000);
    const { turns } = it;
    it.post({ t: 'leave', ifIdle: false });
    while (it.exits === 0 && it.turns < turns + 100) await turn();
    expect(it.exits).toBe(0);
    if (ends) imported.open();
    await over;
    expect(it.exits).toBe(1);
    expect(it.heard.some(({ t }) => t === 'imported')).toBe(ends);
    jest.restoreAllMocks();
    imported.open();
  }
});

test('one that is to leave and waits for a promise is no thread to leave jobs to', async () => {
  const it = thread();
  const over = it.core.run();
  it.tell();
  it.send();
  imported.open();
  while (it.state !== SlotState.PENDING) await turn();
  it.post({ t: 'leave', ifIdle: false });
  const { turns } = it;
  while (it.turns < turns + 3) await turn();
  expect(it.isFree).toBe(false);
  ended.open();
  await over;
  expect(it.exits).toBe(1);
});

test('one that leaves lets its promises go on while jobs wait that it takes no more', async () => {
  const it = thread();
  const over = it.core.run();
  it.tell();
  it.send();
  imported.open();
  while (it.state !== SlotState.PENDING) await turn();
  it.words[HEAD.SPIN_US] = 1000;
  it.post({ t: 'leave', ifIdle: false });
  for (const n of [1, 2]) it.ring.submit(n, () => undefined, undefined, 0, 0, false);
  const { turns } = it;
  while (it.turns < turns + 3) await it.turnsMail();
  ended.open();
  while (it.exits === 0) await it.turnsMail();
  await over;
  expect(it.words[HEAD.STOP]).toBe(0);
  expect(it.state).toBe(SlotState.DONE);
});

test('one that is to leave if it has nothing says that it stays while a promise is pending, and goes when asked again', async () => {
  const it = thread();
  const over = it.core.run();
  it.tell();
  it.send();
  imported.open();
  while (it.state !== SlotState.PENDING) await turn();
  const stays = (): number => it.heard.filter(({ t }) => t === 'stays').length;
  it.post({ t: 'leave', ifIdle: true });
  while (stays() === 0) await turn();
  ended.open();
  const isDone = (): boolean => it.state === SlotState.DONE;
  while (!isDone()) await turn();
  const { turns } = it;
  while (it.turns < turns + 3) await turn();
  expect(it.exits).toBe(0);
  expect(it.isFree).toBe(true);
  it.post({ t: 'leave', ifIdle: true });
  await over;
  expect(it.exits).toBe(1);
  expect(stays()).toBe(1);
});

test.each([
  ['hears of it at once', true, 1],
  ['does not hear of it', false, 50],
])(
  'a thread is due after so many jobs and goes on until it is told; its owner %s',
  async (_what, hears, ran) => {
    const leave: ToWorker = { t: 'leave', ifIdle: true };
    const it = thread({
      window: 64,
      jobs: 1,
      hears: ({ t }) => (hears && t === 'worn' ? leave : undefined),
    });
    for (let n = 0; n < 50; n += 1) it.ring.submit(n, () => undefined, undefined, 0, 0, false);
    const over = it.core.run();
    it.tell('recycle-jobs', 'where');
    if (!hears) {
      // All are done, and it goes on looking for more.
      let delivered = 0;
      while (delivered < ran) {
        await turn();
        delivered += it.ring.deliver(64, 0);
      }
      const { turns } = it;
      while (it.turns < turns + 3) await turn();
      expect(it.exits).toBe(0);
      it.post(leave);
    }
    await over;
    if (hears) expect(it.ring.deliver(64, 0)).toBe(ran);
    expect(it.heard.filter(({ t }) => t === 'worn')).toHaveLength(1);
    expect(it.exits).toBe(1);
  },
);
