/**
 * `npm run soak -- padata-hostile`: everything at once that jobs, modules and owners may do to a pool: thenables that
 * misbehave, results that cannot be cloned, aborts with and without a reason, modules that die while they load, threads
 * that are ended, out of memory, endless loops, pools that grow and shrink to nothing, masks that change, an owner that
 * is busy, streams that break, payloads in every form, jobs that print and that make pools of their own.
 *
 * Every promise has to end within its bound, with its own job's result or an error that is on record, in order; the
 * process has to end by itself and to hold at the end what it held after warming up. The rounds are a function of the
 * seed; `--round N` plays one of them again. `--self-test` plants faults and expects to see them reported.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { flag, integer, number, readOptions } from '../../kit/options.js';
import { RunLog } from '../../kit/run-log.js';
import { PLANTS } from './padata-hostile/plants.js';
import type { Plant } from './padata-hostile/plants.js';
import { Printed } from './padata-hostile/printed.js';
import type { Script } from './padata-hostile/stage.js';

/** Time within which a promise has to end, or something else has to move, in milliseconds. */
const BOUND_MS = 60_000;
/** Time that the process has to end by itself. */
const END_MS = 20_000;
/** Without a word for so long, the process hangs. */
const SILENT_MS = 4 * BOUND_MS;
/** After so many rounds a fault is seen, and one that grows with each of them, however slow the machine is. */
const SEEN_ROUNDS = 8;
const GROWN_ROUNDS = 50;

const { minutes, seed, round, ...values } = readOptions(
  { name: 'soak -- padata-hostile', about: 'Jobs, modules and owners that do their worst.' },
  {
    minutes: number(1, 'default 1'),
    seed: integer(1, 'default 1'),
    round: integer(undefined, 'play this round alone, once'),
    'self-test': flag('plant faults, which have to be reported'),
  },
).values;

/** Plays a script in a process of its own; `fault` hears of everything that is wrong. */
async function play(script: Script, log: RunLog, fault: (text: string) => void): Promise<void> {
  const child = spawn(
    process.execPath,
    [
      ...process.execArgv,
      new URL('./padata-hostile/stage.ts', import.meta.url).pathname,
      JSON.stringify(script),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const printed = new Printed(fault);
  const end = { isDone: false };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const within = (ms: number, text: string): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      fault(text);
      child.kill('SIGKILL');
    }, ms);
  };
  createInterface({ input: child.stdout }).on('line', (line) => {
    within(SILENT_MS, 'the process hangs');
    const [word = '', ...rest] = line.split(' ');
    const text = rest.join(' ');
    if (word === 'LINE') printed.line(Number(rest[0]), Number(rest[1]), Number(rest[2]));
    else if (word === 'FAULT') fault(text);
    else if (word === 'HELD') console.log(`padata-hostile: it held ${text}`);
    else if (word === 'PLAYED') console.log(`padata-hostile: it played ${text}`);
    else if (word === 'ROUND') {
      const {
        calm,
        printed: jobs,
        settled,
      } = JSON.parse(text) as {
        calm: boolean;
        printed: number[];
        settled: number;
      };
      printed.endRound(jobs, calm);
      log.done = settled;
      log.tick();
    } else if (word === 'DONE') {
      end.isDone = true;
      within(END_MS, `the process does not end by itself: ${text}`);
    } else console.log(line);
  });
  const status = await new Promise<number | string | null>((resolve) => {
    child.on('close', (code, signal) => {
      resolve(code ?? signal);
    });
  });
  clearTimeout(timer);
  if (status !== 0 || !end.isDone) fault(`the process ends with ${String(status)}`);
}

/** Each plant has to be reported, in its own words; without one nothing is. */
const SIGNS: Readonly<Record<Plant, RegExp>> = {
  result: /not its own/,
  lost: /lost|while it is out/,
  order: /out of order/,
  memory: /has grown: .*(rss|external)/,
  descriptors: /has grown: descriptors/,
};

async function selfTest(log: RunLog): Promise<void> {
  for (const plant of PLANTS) {
    const texts: string[] = [];
    // What grows is compared with what was held after warming up.
    const rounds = plant === 'memory' || plant === 'descriptors' ? GROWN_ROUNDS : SEEN_ROUNDS;
    const script = { seed, ms: 10_000, rounds, round: undefined, boundMs: 5000, plant };
    await play(script, log, (text) => texts.push(text));
    const seen = texts.find((text) => SIGNS[plant].test(text));
    console.log(`planted: ${plant}\n  ${seen ?? 'NOT SEEN'}`);
    if (seen === undefined) log.fault(`the planted fault '${plant}' was not seen`);
  }
}

const log = new RunLog('padata-hostile', { done: 'promises', faults: 'violations' });
if (values['self-test']) await selfTest(log);
else {
  const ms = minutes * 60_000;
  const script = { seed, ms, rounds: 1, round, boundMs: BOUND_MS, plant: undefined };
  await play(script, log, (text) => {
    log.fault(`VIOLATION: seed ${seed}, ${text}`);
  });
}
log.finish();
