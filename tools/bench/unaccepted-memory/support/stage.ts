/** The stage of all cases: threads that wait for runs, and arenas whose pages are really faulted in. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { UnacceptedMemory, createPrefaultBackend } from '@bootmem/unaccepted-memory';

export const M = 2 ** 20;
export const G = 2 ** 30;

/** What all cases are told. */
export interface BenchOptions {
  readonly quick: boolean;
  readonly rounds: number;
  readonly stage: Stage;
}

/** Five threads: four that allocate and a helper. */
export class Stage {
  readonly threads = Array.from(
    { length: 5 },
    () => new Worker(new URL('./bench-worker.mjs', import.meta.url), { execArgv: [] }),
  );

  /** The thread that runs in the background. */
  get helper(): Worker {
    return this.threads[4]!;
  }

  /** Lets go of the last arena and waits until it is unmapped: that goes on for a while, and faults wait for it. */
  async collect(): Promise<void> {
    await Promise.all(this.threads.map((worker) => ask(worker, { kind: 'collect' })));
    (globalThis as { gc?: () => void }).gc?.();
    let last = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 50; round += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      const { rss } = process.memoryUsage();
      if (rss > last - M) return;
      last = rss;
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.threads.map((worker) => worker.terminate()));
  }
}

/** One run on one thread. */
export async function ask<T>(worker: Worker, run: object): Promise<T> {
  const reply = once(worker, 'message');
  worker.postMessage(run);
  const [answer] = (await reply) as [T];
  return answer;
}

/** Memory of which no page was touched. */
export function createArena(bytes: number, unitSize = 2 * M): UnacceptedMemory {
  const arena = new SharedArrayBuffer(bytes);
  const backend = createPrefaultBackend({ arena });
  const ranges = [{ start: 0, end: bytes }];
  return UnacceptedMemory.create({ ranges, backend, guard: false, unitSize });
}

/** Units of a plain arena may be small: the table costs a few bits for each, and a stall lasts one unit at most. */
export const ARENA_UNIT = 256 * 1024;
