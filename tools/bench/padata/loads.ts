/** Loads under which subjects are compared, and one sample of a subject under one of them. */
import type { BenchOptions } from './bench-options.js';
import { measure, type Measured } from './measure.js';
import { PEERS, type PeerTask, type Subject } from './peers.js';
import { EIGHT_FIELDS, THREE_NUMBERS } from './plain-values.js';
import { bootmem } from './subjects.js';

/** What is submitted again and again. */
export interface Load {
  readonly name: string;
  /** Our function, an export of threads/jobs.mjs, its input, and what its threads share. */
  readonly fn: string;
  readonly ours: unknown;
  readonly shared?: unknown;
  /** The peers' task and its input. */
  readonly task: PeerTask;
  readonly theirs: unknown;
}

const same = (name: string, value: unknown): Load => ({
  name,
  fn: 'same',
  ours: value,
  task: 'same',
  theirs: value,
});
const take = (name: string, value: unknown): Load => ({
  name,
  fn: 'take',
  ours: value,
  task: 'take',
  theirs: value,
});

export const TRIVIAL: Load = {
  name: 'trivial job',
  fn: 'increment',
  ours: 41,
  task: 'task',
  theirs: 41,
};

const OBJECT = { kind: 'clone', count: 1, name: 'one small object', list: [1, 2, 3] };
export const CLONED: Load = {
  name: 'object by structured clone',
  fn: 'clone',
  ours: OBJECT,
  task: 'task',
  theirs: OBJECT,
};

/** Jobs that take so much CPU. */
export function spinning(microseconds: number, steps: number): Load {
  return {
    name: `${microseconds} us job`,
    fn: 'spin',
    ours: 0,
    shared: { steps },
    task: 'task',
    theirs: { kind: 'burn', steps },
  };
}

/** Values that are no numbers, and a number beside them. */
export const VALUES = {
  number: same('number, there and back', 41),
  threeIn: take('object of three numbers in, number out', THREE_NUMBERS),
  eightIn: take('object of eight fields in, number out', EIGHT_FIELDS),
  three: same('object of three numbers, there and back', THREE_NUMBERS),
  eight: same('object of eight fields, there and back', EIGHT_FIELDS),
  text: same('text of 1 KiB, there and back', 'y'.repeat(1024)),
  bytes: same('bytes of 4 KiB, there and back', new Uint8Array(4096)),
};

/** The pools at their best settings for many small tasks. */
export const BEST_PEERS: readonly Subject[] = PEERS.filter(
  ({ name }) => name.endsWith('64 per worker') || name === 'poolifier',
);

/** Us by a promise a job. */
export const ownSubject = (load: Load, window: number): Subject =>
  bootmem(load.fn, window, load.shared);

/** Opens a subject, warms it up, measures, closes it. */
export async function sampleOf(
  subject: Subject,
  load: Load,
  inFlight: number,
  options: BenchOptions,
): Promise<Measured> {
  const open = await subject.open(options.threads, load.task);
  const value = subject.name.startsWith('bootmem') ? load.ours : load.theirs;
  const measured = await measure(open, value, inFlight, options.sampleMs);
  await open.close();
  return measured;
}
