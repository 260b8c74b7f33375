/**
 * The sides of the comparison, behind one face: jobs of a given length in, results out, at most so many in flight.
 * Each may have processes beside this one; their CPU time counts as well.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createWorkPool } from '@bootmem/padata';
import type { SeriesMaker } from '@bootmem/padata';
import { createNatsPool } from '@bootmem/padata-nats';
import { Queue, QueueEvents } from 'bullmq';
import { LocalWorkers, cpuSeconds } from '../../../packages/padata-nats/examples/local-cluster.mjs';
import type { LocalServer } from '../../../packages/padata-nats/examples/local-cluster.mjs';
import { perform } from './jobs.mjs';
import type { JobLength } from './jobs.mjs';

const jobsModule = new URL('./jobs.mjs', import.meta.url);

/** A side that is ready to run jobs. */
export interface OpenSubject {
  /** Runs so many jobs, at most `window` in flight, results in order; resolves at the last result. */
  run(count: number): Promise<void>;
  /** CPU seconds of the processes beside this one, so far. */
  cpu(): number;
  close(): Promise<void>;
}

/** One side. */
export interface Subject {
  readonly name: string;
  open(length: JobLength): Promise<OpenSubject>;
}

const sumOf = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);

/** The plain call on the calling thread; of jobs that wait, `window` at once. */
export function inline(window: number): Subject {
  return {
    name: 'inline',
    open: (length) =>
      Promise.resolve({
        run: async (count) => {
          let next = 0;
          const lane = async (): Promise<void> => {
            while (next < count) {
              const value = perform(length, next);
              next += 1;
              if (typeof value !== 'number') await value;
            }
          };
          const lanes = length.waitMs > 0 ? window : 1;
          await Promise.all(Array.from({ length: lanes }, lane));
        },
        cpu: () => 0,
        close: () => Promise.resolve(),
      }),
  };
}

function functionFor({ blocks, waitMs }: JobLength): string {
  if (waitMs > 0) return 'pause';
  return blocks === 0 ? 'increment' : 'spin';
}

/** Pushes jobs through a series; the same code for the local pool and for the distributed one. */
function openSeries(
  pool: SeriesMaker,
  module: string | URL,
  length: JobLength,
  window: number,
): Pick<OpenSubject, 'run' | 'close'> {
  const series = pool.series<(n: number) => number>({
    fn: { module, name: functionFor(length) },
    shared: length,
    window,
    idempotent: true,
  });
  let wrong: unknown;
  const callback = (error: unknown): void => {
    wrong ??= error;
  };
  return {
    async run(count) {
      for (let i = 0; i < count; i += 1) {
        if (!series.submit(i, callback)) await series.room();
      }
      await series.drain();
      if (wrong !== undefined) throw wrong as Error;
    },
    close: () => series.close(),
  };
}

/** padata's pool on this machine. */
export function localPool(threads: number, window: number): Subject {
  return {
    name: 'padata, local pool',
    async open(length) {
      const pool = createWorkPool({ threads, execArgv: [] });
      await pool.ready();
      const { run, close } = openSeries(pool, jobsModule, length, window);
      return {
        run,
        cpu: () => 0,
        close: async () => {
          await close();
          await pool.close();
        },
      };
    },
  };
}

/** padata-nats with worker processes of one thread each on this host. */
export function natsPool(server: LocalServer, processes: number, window: number): Subject {
  return {
    name: 'padata-nats',
    async open(length) {
      const workers = new LocalWorkers(processes, server.url, { bench: jobsModule });
      const pool = await createNatsPool({ servers: server.url });
      await pool.ready('bench', { threads: processes });
      const { run, close } = openSeries(pool, 'bench', length, window);
      return {
        run,
        cpu: () => sumOf([server.pid, ...workers.pids]),
        close: async () => {
          await close();
          await pool.close();
          await workers.stop();
        },
      };
    },
  };
}

/** How a BullMQ worker is set. */
export interface BullSettings {
  readonly kind: 'in-process' | 'sandboxed';
  /** Processes; a sandboxed one has as many threads as it has jobs at once. */
  readonly processes: number;
  readonly concurrency: number;
}

async function startBullWorker(
  port: number,
  length: JobLength,
  { concurrency, kind }: BullSettings,
): Promise<ChildProcess> {
  const file = fileURLToPath(new URL('./bullmq-worker.mjs', import.meta.url));
  const args = [file, String(port), JSON.stringify(length), String(concurrency), kind];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => {
      resolve();
    });
    child.once('exit', (code) => {
      reject(new Error(`a BullMQ worker ended with ${String(code)}`));
    });
  });
  return child;
}

/** BullMQ: added in bulk as room appears, results by one listener for all jobs. */
export function bullmq(redis: LocalServer, settings: BullSettings, window: number): Subject {
  const connection = { host: '127.0.0.1', port: redis.port, maxRetriesPerRequest: null };
  const { kind, processes, concurrency } = settings;
  return {
    name: `BullMQ, ${kind}, ${processes} x ${concurrency}`,
    async open(length) {
      const queue = new Queue('bench', { connection });
      const events = new QueueEvents('bench', { connection });
      await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);
      const children = await Promise.all(
        Array.from({ length: processes }, () => startBullWorker(redis.port, length, settings)),
      );
      let done = 0;
      let failed: string | undefined;
      let wake = (): void => undefined;
      events.on('completed', () => {
        done += 1;
        wake();
      });
      events.on('failed', ({ failedReason }) => {
        failed = failedReason;
        wake();
      });
      return {
        async run(count) {
          const first = done;
          let added = 0;
          while (done - first < count) {
            if (failed !== undefined) throw new Error(failed);
            const room = Math.min(window - (added - (done - first)), count - added);
            // A few at a time would lose what adding in bulk gains.
            if (room >= Math.min(window / 4, count - added) && room > 0) {
              const from = added;
              added += room;
              await queue.addBulk(
                Array.from({ length: room }, (_, i) => ({
                  name: 'job',
                  data: { n: from + i, length },
                  opts: { removeOnComplete: true },
                })),
              );
              continue;
            }
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          }
        },
        cpu: () => sumOf([redis.pid, ...children.map(({ pid }) => pid!)]),
        close: async () => {
          for (const child of children) {
            child.removeAllListeners('exit');
            child.kill('SIGKILL');
          }
          await events.close();
          await queue.obliterate({ force: true });
          await queue.close();
        },
      };
    },
  };
}
