/**
 * The sleep protocol as a model: a publisher makes work visible and wakes those who sleep; workers take it, one by
 * one, and sleep when there is none. Work is published in the two ways that ship: lanes and messages count the
 * epoch up and wake whom they want; rings store what is published and wake one thread if nobody is awake
 * (owner-turns.ts), and a worker looks at that word once more before it sleeps (rest.ts).
 */
import type { AtomicOps, Model, ModelThread } from '@bootmem/padata/testing';
import { HEAD, WORKER, workerBase } from '../../dist/protocol/control-layout.js';
import { makeSleepProtocol } from '../../dist/protocol/sleep.js';
import type { SleepProtocol } from '../../dist/protocol/sleep.js';

const PUBLISHED = 50;
const TAKEN = 51;
const FINISHED = 52;

/** Makes the protocol, or a broken variant. */
export type MakeSleep = (ops: AtomicOps) => SleepProtocol;

/** What is explored. */
export interface SleepConfig {
  readonly jobs: number;
  readonly workers: number;
  readonly by: 'epoch' | 'ring';
  /** Mistakes: the epoch is read after the look for work; no second look at the ring. */
  readonly broken?: 'late-epoch' | 'no-second-look';
  readonly make?: MakeSleep;
}

/** The model of a configuration. */
export function sleepModel(config: SleepConfig): Model {
  const { jobs, workers } = config;
  return {
    words: workerBase(workers + 1),
    threads: [
      publisherThread(config),
      ...Array.from({ length: workers }, (_, i) => workerThread(config, i + 1)),
    ],
    check: (words) => (words[FINISHED] === jobs ? undefined : `${words[FINISHED]} jobs finished`),
  };
}

function publisherThread({ jobs, workers, by, make = makeSleepProtocol }: SleepConfig) {
  const thread: ModelThread = ({ ops, area, until, notify, mark, resumed = 0 }) => {
    const p = make(ops);
    const control = area(0);
    const wake = (w: number): boolean => {
      if (!p.claimSleeper(control, workerBase(w))) return false;
      notify(workerBase(w) + WORKER.SLEEP);
      return true;
    };
    for (let job = resumed; job < jobs; job += 1) {
      mark(job);
      ops.store(control, PUBLISHED, job + 1);
      if (by === 'epoch') {
        p.publish(control);
        for (let w = 1; w <= workers; w += 1) wake(w);
        continue;
      }
      let awake = 0;
      for (let w = 1; w <= workers; w += 1) {
        if (ops.load(control, workerBase(w) + WORKER.SLEEP) !== 1) awake += 1;
      }
      for (let w = 1; w <= workers && awake === 0; w += 1) if (wake(w)) awake += 1;
    }
    mark(jobs);
    until((words) => words[FINISHED] === jobs);
    ops.store(control, HEAD.STOP, 1);
    p.publish(control);
    for (let w = 1; w <= workers; w += 1) wake(w);
  };
  return thread;
}

function workerThread(
  { by, broken, make = makeSleepProtocol }: SleepConfig,
  id: number,
): ModelThread {
  return ({ ops, area, wait, mark }) => {
    const p = make(ops);
    const control = area(0);
    const base = workerBase(id);
    /** One job, if there is one; -1 = somebody else was quicker. */
    const take = (): number => {
      const taken = ops.load(control, TAKEN);
      if (ops.load(control, PUBLISHED) <= taken) return 0;
      if (ops.compareExchange(control, TAKEN, taken, taken + 1) !== taken) return -1;
      ops.add(control, FINISHED, 1);
      return 1;
    };
    const canWork = (): boolean =>
      by === 'ring' &&
      broken !== 'no-second-look' &&
      ops.load(control, PUBLISHED) > ops.load(control, TAKEN);
    for (;;) {
      mark(0);
      let seen = broken === 'late-epoch' ? 0 : p.look(control);
      if (ops.load(control, HEAD.STOP) === 1) return;
      if (take() !== 0) continue;
      if (broken === 'late-epoch') seen = p.look(control);
      if (!p.maySleep(control, base, seen)) continue;
      if (!canWork()) wait(base + WORKER.SLEEP, 1);
      p.awake(control, base);
    }
  };
}
