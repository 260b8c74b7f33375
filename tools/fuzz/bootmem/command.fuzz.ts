/**
 * `npm run fuzz -- command`: hostile arguments and files through the whole command, in one process. Whatever they are, the command
 * ends within its bound of time and memory, with one of its exit codes, an error of its own or none, and no raw control in
 * what it prints. Input INDEX of a run depends on SEED and INDEX alone; --only makes one again and prints it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Task, Told } from './command/run-inputs.js';
import { integer, readOptions } from '../../kit/options.js';
import { RunLog } from '../../kit/run-log.js';

/** Processor time of an input: waiting for a busy machine is no fault of it. A boot brings up to 128 MiB of descriptors up. */
const LONGEST_MS = 2000;
/** An input that has not ended by then hangs, however busy the machine is. */
const HANGS_MS = 60_000;
/** Heap of the thread: what `--limit 512M` leaves for it, and as much for the fuzzer's own. */
const HEAP_MB = 256;

const { count, seed, only } = readOptions(
  { name: 'fuzz -- command', about: 'Hostile arguments and files through the whole command.' },
  {
    count: integer(20_000, 'inputs, default 20000'),
    seed: integer(1, 'default 1'),
    only: integer(undefined, 'this input alone, printed'),
  },
).values;

const log = new RunLog('command', { done: 'inputs', faults: 'failures' });
const folder = mkdtempSync(join(tmpdir(), 'bootmem-fuzz-'));
const last = only === undefined ? count : only + 1;
let slowest = { index: 0, ms: 0 };

/** Runs inputs from `first` on in a thread; returns the one to go on with, after one that ended the thread. */
async function stretch(first: number): Promise<number> {
  const task: Task = {
    folder,
    seed,
    first,
    last,
    longestMs: LONGEST_MS,
    print: only !== undefined,
  };
  const thread = new Worker(new URL('./command/run-inputs.mjs', import.meta.url), {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  });
  const state = { current: first, isDone: false, watch: undefined as NodeJS.Timeout | undefined };
  thread.on('message', (told: Told) => {
    if (told.kind === 'begin') {
      clearTimeout(state.watch);
      state.current = told.index;
      state.watch = setTimeout(() => {
        log.fault(`input ${told.index} of seed ${seed}: has not ended after ${HANGS_MS / 1000} s`);
        void thread.terminate();
      }, HANGS_MS);
    } else if (told.kind === 'fault') {
      log.fault(`input ${told.index} of seed ${seed}: ${told.text}`);
    } else {
      if (told.ms > slowest.ms) slowest = told;
      state.isDone = told.index === last - 1;
      log.done += 1;
      log.tick();
    }
  });
  thread.on('error', (error) => {
    log.fault(`input ${state.current} of seed ${seed}: ${error.stack ?? error.message}`);
  });
  await new Promise((resolve) => thread.on('exit', resolve));
  clearTimeout(state.watch);
  return state.isDone ? last : state.current + 1;
}

try {
  for (let next = only ?? 0; next < last;) next = await stretch(next);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(
  `slowest input: ${slowest.ms.toFixed(0)} ms of processor time (input ${slowest.index})`,
);
log.finish();
