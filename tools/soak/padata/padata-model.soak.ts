/**
 * `npm run soak -- padata-model` explores the levels, reorder, loose, pending, message, parts, claim and sleep protocols of the package through every interleaving of their atomic steps,
 * up to four jobs or chunks and three workers, deaths included (test/model); then the broken variants, each of
 * which has to be caught. Smallest models first; ends after --minutes, default: when all are done. `--part 2/3` explores a third of
 * them, `--only TEXT` those whose name contains the text: parts may run one after the other, or at the same time.
 */
import { explore } from '@bootmem/padata/testing';
import type { Model } from '@bootmem/padata/testing';
import { number, readOptions, text } from '../../kit/options.js';
import { RunLog } from '../../kit/run-log.js';
import { MISTAKES } from '../../../packages/padata/test/model/cases.js';
import { laneModel } from '../../../packages/padata/test/model/lane-model.js';
import { levelsModel } from '../../../packages/padata/test/model/levels-model.js';
import { looseModel } from '../../../packages/padata/test/model/loose-model.js';
import { partsModel } from '../../../packages/padata/test/model/parts-model.js';
import { pendingModel } from '../../../packages/padata/test/model/pending-model.js';
import { ringModel } from '../../../packages/padata/test/model/ring-model.js';
import { sentModel } from '../../../packages/padata/test/model/sent-model.js';
import { sleepModel } from '../../../packages/padata/test/model/sleep-model.js';

const LIMIT = 150_000_000;
const { minutes, only, part } = readOptions(
  { name: 'soak -- padata-model', about: "Every interleaving of the protocols' models." },
  {
    minutes: number(Infinity, 'ends after so many, default: when all is explored'),
    only: text('', 'only models whose name contains this'),
    part: text('1/1', 'only this part of the models, such as 2/3 for the second third'),
  },
).values;

const PARTS = { inputs: [1, 1, 2], window: 4, first: 4, more: 4, parts: 2 };

const cases: readonly (readonly [string, Model])[] = [
  ['levels of priority, 2 threads', levelsModel({ workers: 2, starts: 40 })],
  ['levels of priority, 3 threads', levelsModel({ workers: 3, starts: 16 })],
  [
    'levels of priority, 3 threads, one dies',
    levelsModel({ workers: 3, starts: 14, mortal: true }),
  ],
  ['ring, 2 jobs, 2 workers, window 2', ringModel({ jobs: 2, workers: 2, window: 2 })],
  [
    'ring, 2 jobs, 2 workers, one dies',
    ringModel({ jobs: 2, workers: 2, window: 2, mortal: true }),
  ],
  ['ring, 3 jobs, 2 workers, window 2', ringModel({ jobs: 3, workers: 2, window: 2 })],
  ...[false, true].flatMap((mortal) =>
    [2, 4].flatMap((window) =>
      [
        { batch: 1, lazy: true, eager: true },
        { batch: 2, lazy: false, eager: true },
        // Jobs reserved together are small: one look at the owner for all of them.
        { batch: 2, lazy: true, eager: false },
      ].map((more) => {
        const model = ringModel({ jobs: 4, workers: 3, coarse: 'all', window, mortal, ...more });
        const { batch, lazy } = more;
        const name = `window ${window}, batch ${batch}${lazy ? '' : ', at once'}${mortal ? ', one dies' : ''}`;
        return [`ring, 4 jobs, 3 workers, ${name}`, model] as const;
      }),
    ),
  ),
  ...[2, 4].map(
    (window) =>
      [
        `ring, 4 jobs, 3 workers, window ${window}, the last one awaited`,
        ringModel({ jobs: 4, workers: 3, window, batch: 1, coarse: 'all', patient: true }),
      ] as const,
  ),
  [
    'ring, 4 jobs, 2 workers, window 4, the last one awaited, one dies',
    ringModel({ jobs: 4, workers: 2, window: 4, coarse: 'all', patient: true, mortal: true }),
  ],
  ['without order, 2 jobs, 2 workers, window 2', looseModel({ jobs: 2, workers: 2, window: 2 })],
  [
    'without order, 4 jobs, 2 workers, window 1, one dies',
    looseModel({ jobs: 4, workers: 2, window: 1, coarse: true, mortal: true }),
  ],
  ...[2, 4].flatMap((window) =>
    [false, true].map((mortal) => {
      const name = `window ${window}${mortal ? ', one dies' : ''}`;
      const model = looseModel({ jobs: 4, workers: 2, window, coarse: true, mortal });
      return [`without order, 4 jobs, 2 workers, ${name}`, model] as const;
    }),
  ),
  [
    'without order, 4 jobs, 2 workers, window 2, nothing is taken over, one dies',
    looseModel({ jobs: 4, workers: 2, window: 2, coarse: true, steal: false, mortal: true }),
  ],
  ...[false, true].map((mortal) => {
    const model = looseModel({ jobs: 4, workers: 2, window: 4, coarse: true, awaited: 2, mortal });
    const name = `window 4, two awaited${mortal ? ', one dies' : ''}`;
    return [`without order, 4 jobs, 2 workers, ${name}`, model] as const;
  }),
  [
    'without order, 3 jobs, 3 workers, window 2, one look at the owner for two jobs',
    looseModel({ jobs: 3, workers: 3, window: 2, coarse: true, eager: false }),
  ],
  ...[false, true].map(
    (views) =>
      [
        `pending, 4 jobs, 2 workers, 2 aborted${views ? ', bytes from the beginning' : ''}`,
        pendingModel({ jobs: 4, workers: 2, window: 2, aborted: [0, 2], views }),
      ] as const,
  ),
  ...[false, true].flatMap((events) =>
    [
      { name: 'a thread starts late', last: 'late' } as const,
      { name: 'a thread leaves', last: 'leaves' } as const,
      { name: 'a thread dies', last: 'dies' } as const,
      { name: 'a thread dies, its jobs run again', last: 'dies', idempotent: true } as const,
      { name: 'one deferred', deferred: 1 },
      { name: 'one aborted', aborted: 1 },
    ].map(({ name, ...more }) => {
      const model = partsModel({ ...PARTS, ...more, events });
      return [`parts, 3 jobs, ${events ? 'mail by events, ' : ''}${name}`, model] as const;
    }),
  ),
  [
    'parts, 4 jobs, window 2, mail by events',
    partsModel({ ...PARTS, inputs: [1, 1, 2, 1], window: 2, events: true }),
  ],
  ['by message, 3 jobs, one slow', sentModel({ jobs: 3, window: 4, slow: 0 })],
  ['by message, 3 jobs, window 2', sentModel({ jobs: 3, window: 2 })],
  [
    'by message, 3 jobs, one slow, two handed over',
    sentModel({ jobs: 3, window: 4, slow: 0, handedOver: [1, 2] }),
  ],
  [
    'by message, 3 jobs, one slow, one handed over, one aborted, a thread dies',
    sentModel({ jobs: 3, window: 4, slow: 1, handedOver: [1], aborted: 2, mortal: true }),
  ],
  [
    'by message, 3 jobs, one handed over, a thread imports the module',
    sentModel({ jobs: 3, window: 4, handedOver: [1], importing: 'this' }),
  ],
  [
    'by message, 3 jobs, one slow, two handed over, a thread imports another module',
    sentModel({ jobs: 3, window: 4, slow: 0, handedOver: [1, 2], importing: 'another' }),
  ],
  ['sleep, 4 jobs by epoch, 2 workers', sleepModel({ jobs: 4, workers: 2, by: 'epoch' })],
  ['sleep, 4 jobs by ring, 2 workers', sleepModel({ jobs: 4, workers: 2, by: 'ring' })],
  ['sleep, 2 jobs by ring, 3 workers', sleepModel({ jobs: 2, workers: 3, by: 'ring' })],
  ['sleep, 1 job by epoch, 3 workers', sleepModel({ jobs: 1, workers: 3, by: 'epoch' })],
  ['lane, 4 chunks, 2 helpers', laneModel({ chunks: [4], helpers: 2 })],
  ['lane, 2 jobs of 2 and 1 chunks, 2 helpers', laneModel({ chunks: [2, 1], helpers: 2 })],
  [
    'lane, 2 jobs of 4 and 1 chunks, 2 helpers, one dies',
    laneModel({ chunks: [4, 1], helpers: 2, mortal: true }),
  ],
  [
    'lane in coarse steps, 2 jobs of 2 and 1 chunks, 2 helpers',
    laneModel({ chunks: [2, 1], helpers: 2, coarse: true }),
  ],
  [
    'lane in coarse steps, 4 chunks, 3 helpers',
    laneModel({ chunks: [4], helpers: 3, coarse: true }),
  ],
  [
    'lane in coarse steps, 2 jobs of 2 and 1 chunks, 3 helpers',
    laneModel({ chunks: [2, 1], helpers: 3, coarse: true }),
  ],
];

/** A model, and whether a violation is what it is to show. */
interface Run {
  readonly name: string;
  readonly model: Model;
  readonly isBroken: boolean;
}

const all: readonly Run[] = [
  ...cases.map(([name, model]) => ({ name, model, isBroken: false })),
  ...MISTAKES.map(([name, model]) => ({ name: `broken: ${name}`, model, isBroken: true })),
];
const [nth = 1, parts = 1] = part.split('/').map(Number);
const chosen = all
  .filter(({ name }) => name.includes(only))
  .filter((_run, index) => index % parts === nth % parts);

const log = new RunLog('padata-model', { done: 'states', faults: 'violations' });
const counts = { explored: 0, caught: 0 };
let schedules = 0;
for (const { name, model, isBroken } of chosen) {
  if (log.over(minutes)) break;
  const began = log.seconds;
  const { states, schedules: found, violation } = explore(model, LIMIT);
  if (isBroken) {
    if (violation === undefined) log.fault(`NOT CAUGHT: ${name}`);
    else {
      counts.caught += 1;
      console.log(`${name}: caught: ${violation.text}`);
    }
    continue;
  }
  log.done += states;
  schedules += found;
  counts.explored += 1;
  const seconds = (log.seconds - began).toFixed(0);
  const faults = violation === undefined ? 'no violation' : 'VIOLATED';
  console.log(
    `${name}: ${states} states, ${found.toPrecision(3)} schedules, ${seconds} s, ${faults}`,
  );
  if (violation !== undefined) log.fault(`${name}: ${JSON.stringify(violation)}`);
}
const broken = chosen.filter(({ isBroken }) => isBroken).length;
console.log(
  `${counts.explored} of ${chosen.length - broken} models, ${schedules.toPrecision(3)} schedules; ${counts.caught} of ${broken} broken variants caught`,
);
log.finish();
