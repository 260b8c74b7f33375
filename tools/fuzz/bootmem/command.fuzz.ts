/**
 * `npm run fuzz -- command`: hostile arguments and files through the whole command, in one process at a time. Whatever they are, the
 * command ends within its bound of time and of resident memory (its `--limit`), with one of its exit codes, an error of its own or none,
 * and no raw control in what it prints. Input INDEX of a run depends on SEED and INDEX alone; --only makes one again and prints it.
 */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Task, Told } from './command/run-inputs.js';
import { integer, readOptions } from '../../kit/options.js';
import { RunLog } from '../../kit/run-log.js';

/** Processor time of an input: waiting for a busy machine is no fault of it. A boot brings up to 128 MiB of descriptors up. */
const LONGEST_MS = 2000;
/** An input that has not ended by then hangs, however busy the machine is. */
const HANGS_MS = 60_000;
/** Heap of the process: what `--limit 512M` leaves for it, and as much for the fuzzer's own. */
const HEAP_MB = 256;

const { count, seed, first, only } = readOptions(
  { name: 'fuzz -- command', about: 'Hostile arguments and files through the whole command.' },
  {
    count: integer(20_000, 'inputs, default 20000'),
    seed: integer(1, 'default 1'),
    first: integer(0, 'go on from this input, default 0'),
    only: integer(undefined, 'this input alone, printed'),
  },
).values;

const log = new RunLog('command', { done: 'inputs', faults: 'failures' });
const folder = mkdtempSync(join(tmpdir(), 'bootmem-fuzz-'));
const last = only === undefined ? count : only + 1;
let slowest = { index: 0, ms: 0 };
let largest = { index: 0, mib: 0 };
const script = fileURLToPath(new URL('./command/run-inputs.ts', import.meta.url));

/** Runs inputs from `first` on in a process; returns the one to go on with, after one that ended the process. */
async function stretch(first: number): Promise<number> {
  const task: Task = {
    folder,
    seed,
    first,
    last,
    longestMs: LONGEST_MS,
    print: only !== undefined,
  };
  const child = fork(script, [JSON.stringify(task)], {
    execArgv: [...process.execArgv, `--max-old-space-size=${HEAP_MB}`],
  });
  const state = { current: first, isDone: false, watch: undefined as NodeJS.Timeout | undefined };
  child.on('message', (message) => {
    const told = message as Told;
    if (told.kind === 'begin') {
      clearTimeout(state.watch);
      state.current = told.index;
      state.watch = setTimeout(() => {
        log.fault(`input ${told.index} of seed ${seed}: has not ended after ${HANGS_MS / 1000} s`);
        child.kill('SIGKILL');
      }, HANGS_MS);
    } else if (told.kind === 'fault') {
      log.fault(`input ${told.index} of seed ${seed}: ${told.text}`);
    } else {
      if (told.ms > slowest.ms) slowest = told;
      if (told.mib > largest.mib) largest = told;
      state.isDone = told.index === last - 1;
      log.done += 1;
      log.tick();
    }
  });
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    child.on('exit', (...ended) => {
      resolve(ended);
    });
  });
  clearTimeout(state.watch);
  if (!state.isDone) {
    log.fault(`input ${state.current} of seed ${seed}: ended its process with ${signal ?? code}`);
  }
  return state.isDone ? last : state.current + 1;
}

try {
  for (let next = only ?? first; next < last;) next = await stretch(next);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(
  `slowest input: ${slowest.ms.toFixed(0)} ms of processor time (input ${slowest.index}); ` +
    `most resident memory: ${largest.mib.toFixed(0)} MiB (input ${largest.index})`,
);
log.finish();
