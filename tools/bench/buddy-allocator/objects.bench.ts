/**
 * `npm run bench -- objects`: small objects, an allocation and a free a pair, million pairs per CPU-second.
 *
 *   replace     4000 live objects of 64 bytes, one of them replaced at random by each pair
 *   ping-pong   one object allocated and freed again
 *
 * Subjects take turns, each run in a process of its own; the C program (native/objects.c, -O2) uses malloc and free of the C
 * library. No allocator from npm survives two threads on one memory: the peers are measured on one.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { compileC } from '../../kit/native.js';
import { benchOptions, integer } from '../../kit/options.js';
import { inTurn, ratios, Samples } from '../../kit/samples.js';
import { printTable } from '../../kit/table.js';

const C = 'C, malloc and free';
const OURS = 'bootmem';
const SIZE = 64;
const METRIC = 'pairs per CPU-second';
const PROGRAMS = ['replace', 'ping-pong'] as const;
/** Pairs, so that a run takes a second or so; the peers that search lists are slower. */
const SUBJECTS: Readonly<Record<string, number>> = {
  [C]: 30e6,
  [OURS]: 30e6,
  '@thi.ng/malloc': 1e6,
  malloc: 1e6,
};

const { quick, json, rounds } = benchOptions(
  'objects',
  'Small objects: pairs of allocation and free per CPU-second, beside C and npm allocators.',
  [],
  { rounds: integer(undefined, 'rounds, default 5, with --quick 2', 1) },
);
const execute = promisify(execFile);
const child = fileURLToPath(new URL('support/objects-child.mjs', import.meta.url));
const native = compileC(new URL('native/objects.c', import.meta.url));
const jobs = PROGRAMS.flatMap((program) =>
  Object.entries(SUBJECTS).map(([subject, pairs]) => ({
    program,
    subject,
    size: SIZE,
    pairs: quick ? pairs / 4 : pairs,
  })),
).filter(({ subject }) => subject !== C || native !== undefined);

const samples = new Samples('objects');
for (let round = 0; round < (rounds ?? (quick ? 2 : 5)); round++) {
  for (const job of inTurn(jobs, round)) {
    const { program, subject, pairs, size } = job;
    const { stdout } =
      subject === C
        ? await execute(native!.path, [program, String(pairs), String(size)])
        : await execute(process.execPath, [child, JSON.stringify(job)]);
    const done = JSON.parse(stdout) as { pairs: number; cpu: number };
    samples.add(program, subject, METRIC, 'M/s', done.pairs / done.cpu / 1e6);
  }
}
native?.remove();

for (const program of PROGRAMS) {
  const ours = samples.values(program, OURS, METRIC);
  for (const peer of Object.keys(SUBJECTS).filter((subject) => subject !== OURS)) {
    for (const ratio of ratios(ours, samples.values(program, peer, METRIC)))
      samples.add(`${program}, ratio to ${peer}`, OURS, 'ratio', '1', ratio);
  }
}
if (json) samples.print({ json });
else {
  const digits = (value: number): string => value.toFixed(value < 10 ? 2 : 1);
  printTable(
    'million pairs per CPU-second, and ratios of one round',
    ['', 'min', 'median', 'max'],
    samples
      .rows()
      .map(({ case: name, subject, min, median, max }) => [
        `${name}: ${subject}`,
        ...[min, median, max].map(digits),
      ]),
  );
  if (native === undefined) console.log('no C compiler here: the C rows are left out');
}
