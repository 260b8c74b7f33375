/**
 * `npm run fuzz -- command`: hostile arguments, files, streams and signals through the whole command. Whatever they are, the command ends
 * within its bound of time and of resident memory (its `--limit`), with one of its exit codes, an error of its own or none, and no raw
 * control in what it prints or writes. Input INDEX of a run depends on SEED and INDEX alone; --only makes one again and prints it.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EVERY_OPTION } from './command/grammar.js';
import type { Part, Task, Told } from './command/run-inputs.js';
import { integer, number, readOptions } from '../../kit/options.js';
import { RunLog } from '../../kit/run-log.js';

/** Processor time of a command: waiting for a busy machine is no fault of it. A boot brings up to 128 MiB of descriptors up. */
const LONGEST_MS = 2000;
/** A command that has not ended by then hangs, however busy the machine is. */
const HANGS_MS = 90_000;
/** Heap of a process: what `--limit 512M` leaves for it, and as much for the fuzzer's own. */
const HEAP_MB = 256;
/** Inputs that a process is given at a time. */
const PART = 20;
/** So many inputs use every option there is. */
const USE_ALL = 5000;

const { count, seed, first, only, jobs, minutes } = readOptions(
  { name: 'fuzz -- command', about: 'Hostile arguments, files and streams through the command.' },
  {
    count: integer(20_000, 'inputs, default 20000'),
    seed: integer(1, 'default 1'),
    first: integer(0, 'go on from this input, default 0'),
    only: integer(undefined, 'this input alone, printed'),
    jobs: integer(availableParallelism(), 'processes, default one a processor', 1),
    minutes: number(Infinity, 'begin nothing new after so many; the last line says where to go on'),
  },
).values;

const log = new RunLog('command', { done: 'inputs', faults: 'failures' });
const folder = mkdtempSync(join(tmpdir(), 'bootmem-fuzz-'));
const last = only === undefined ? count : only + 1;
let next = only ?? first;
let slowest = { index: 0, ms: 0 };
let largest = { index: 0, mib: 0 };
const kinds = new Map<string, number>();
const used = new Set<string>();
const script = fileURLToPath(new URL('./command/run-inputs.ts', import.meta.url));

/** A process that runs parts, and is started again when an input has ended it. */
class Job {
  readonly #task: Task = { folder, seed, longestMs: LONGEST_MS, print: only !== undefined };
  #child: ChildProcess | undefined;
  #current = 0;
  #watch: NodeJS.Timeout | undefined;

  /** Runs a part; ends when all of it has been run. */
  async run({ first: from, last: to }: Part): Promise<void> {
    for (let at = from; at < to;) {
      this.#current = at;
      const end = await this.#some({ first: at, last: to });
      if (end === undefined) return;
      log.fault(`input ${this.#current} of seed ${seed}: ended its process with ${end}`);
      at = this.#current + 1;
    }
  }

  /** Ends the process. */
  close(): void {
    this.#child?.kill();
  }

  /** @returns what ended the process, `undefined` when the part is done */
  async #some(part: Part): Promise<string | undefined> {
    const child = (this.#child ??= fork(script, [JSON.stringify(this.#task)], {
      execArgv: [...process.execArgv, `--max-old-space-size=${HEAP_MB}`],
    }));
    const isNew = child.listenerCount('exit') === 0;
    return await new Promise((resolve) => {
      let isTold = !isNew;
      child.removeAllListeners('message').removeAllListeners('exit');
      child.on('exit', (code, signal) => {
        clearTimeout(this.#watch);
        this.#child = undefined;
        resolve(String(signal ?? code));
      });
      child.on('message', (told: Told) => {
        if (told.kind !== 'idle') this.#hear(told, child);
        else if (isTold) resolve(undefined);
        else {
          isTold = true;
          child.send(part);
        }
      });
      if (!isNew) child.send(part);
    });
  }

  #hear(told: Exclude<Told, { kind: 'idle' }>, child: ChildProcess): void {
    if (told.kind === 'begin') {
      clearTimeout(this.#watch);
      this.#current = told.index;
      this.#watch = setTimeout(() => {
        log.fault(`input ${told.index} of seed ${seed}: has not ended after ${HANGS_MS / 1000} s`);
        child.kill('SIGKILL');
      }, HANGS_MS);
    } else if (told.kind === 'fault') {
      log.fault(`input ${told.index} of seed ${seed}: ${told.text}`);
    } else {
      clearTimeout(this.#watch);
      if (told.ms > slowest.ms) slowest = told;
      if (told.mib > largest.mib) largest = told;
      kinds.set(told.what, (kinds.get(told.what) ?? 0) + 1);
      for (const option of told.options) used.add(option);
      log.done += 1;
      log.tick(`slowest ${slowest.ms.toFixed(0)} ms, most ${largest.mib.toFixed(0)} MiB`);
    }
  }
}

async function work(): Promise<void> {
  const job = new Job();
  try {
    while (next < last && !log.over(minutes)) {
      const part = { first: next, last: Math.min(last, next + PART) };
      next = part.last;
      await job.run(part);
    }
  } finally {
    job.close();
  }
}

try {
  await Promise.all(Array.from({ length: only === undefined ? jobs : 1 }, work));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const unused = EVERY_OPTION.filter((option) => !used.has(option));
if (log.done >= USE_ALL && unused.length > 0) log.fault(`never used: ${unused.join(', ')}`);
console.log(
  [...kinds].map(([kind, times]) => `${kind} ${times}`).join(', ') +
    `; ${EVERY_OPTION.length - unused.length} of ${EVERY_OPTION.length} options; ` +
    `slowest command ${slowest.ms.toFixed(0)} ms of processor time (input ${slowest.index}); ` +
    `most resident memory ${largest.mib.toFixed(0)} MiB (input ${largest.index})`,
);
if (next < last) console.log(`to go on: --seed ${seed} --first ${next}`);
log.finish();
