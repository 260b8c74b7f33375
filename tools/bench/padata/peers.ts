/**
 * The pools that people use today, each at the settings that measured best for small tasks, behind one face.
 * All take one value and give one promise; order is the caller's affair (the ordered cases await in order).
 */
import { Piscina } from 'piscina';
import { FixedThreadPool } from 'poolifier';
import Tinypool from 'tinypool';
import workerpool from 'workerpool';
import type { Deadline } from '../../kit/deadline.js';

/** A pool under test: `run` hands one value to the task and resolves to its result. */
export interface Subject {
  readonly name: string;
  readonly version: string;
  /** @param task  an export of threads/peer-tasks.mjs; default the one that is told by each value what to do */
  open(threads: number, task?: PeerTask): Promise<OpenSubject>;
}
export type PeerTask = 'task' | 'same' | 'take' | 'burnTimed';
export interface OpenSubject {
  run(value: unknown): Promise<unknown>;
  /** Keeps jobs going by another way than promises; resolves to how many were done. */
  pump?(value: unknown, inFlight: number, deadline: Deadline): Promise<number>;
  close(): Promise<void>;
}

const at = (file: string): URL => new URL(file, import.meta.url);
// The benchmark itself runs under a TypeScript loader; the peers' workers need none.
const execArgv: string[] = [];

const piscina = (name: string, options: object): Subject => ({
  name,
  version: 'piscina 5.3.2',
  open(threads, task = 'task') {
    const pool = new Piscina({
      filename: at('threads/peer-tasks.mjs').href,
      name: task,
      minThreads: threads,
      maxThreads: threads,
      execArgv,
      recordTiming: false,
      ...options,
    });
    return Promise.resolve({ run: (value) => pool.run(value), close: () => pool.destroy() });
  },
});
const tinypool = (name: string, options: object): Subject => ({
  name,
  version: 'tinypool 2.2.0',
  open(threads, task = 'task') {
    const pool = new Tinypool({
      filename: at('threads/peer-tasks.mjs').href,
      name: task,
      minThreads: threads,
      maxThreads: threads,
      execArgv,
      ...options,
    });
    return Promise.resolve({ run: (value) => pool.run(value), close: () => pool.destroy() });
  },
});

/** Each peer at its defaults and, where that is faster, at its best setting for many small tasks. */
export const PEERS: readonly Subject[] = [
  piscina('piscina', {}),
  piscina('piscina, 64 per worker', { concurrentTasksPerWorker: 64 }),
  tinypool('tinypool', {}),
  tinypool('tinypool, 64 per worker', { concurrentTasksPerWorker: 64 }),
  {
    name: 'workerpool',
    version: 'workerpool 10.0.3',
    open(threads, task = 'task') {
      const pool = workerpool.pool(at('threads/workerpool-worker.mjs').pathname, {
        minWorkers: threads,
        maxWorkers: threads,
        workerType: 'thread',
        workerThreadOpts: { execArgv },
      });
      return Promise.resolve({
        run: (value) => pool.exec(task, [value]) as unknown as Promise<unknown>,
        close: async () => {
          await pool.terminate();
        },
      });
    },
  },
  {
    name: 'poolifier',
    version: 'poolifier 5.3.2',
    open(threads, task = 'task') {
      const pool = new FixedThreadPool<unknown, unknown>(
        threads,
        at('threads/poolifier-worker.mjs').pathname,
        {
          workerOptions: { execArgv },
          errorHandler: (error) => {
            console.error(error);
          },
        },
      );
      return Promise.resolve({
        run: (value) => pool.execute(value, task),
        // After 1024 jobs in flight its destroy() does not always settle: go on after two seconds.
        close: async () => {
          await Promise.race([pool.destroy(), new Promise((resolve) => setTimeout(resolve, 2000))]);
        },
      });
    },
  },
];
