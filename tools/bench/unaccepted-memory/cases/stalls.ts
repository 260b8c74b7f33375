/** How long a consumer at half the helper's rate is held up, without the helper and with it. */
import {
  Pacer,
  type UnacceptedMemory,
  type UnacceptedMemoryHandle,
} from '@bootmem/unaccepted-memory';
import { inTurn, type Samples } from '../../../kit/samples.js';
import { short } from '../../../kit/table.js';
import { warmUp } from '../../../kit/warm-up.mjs';
import {
  ARENA_UNIT,
  M,
  ask,
  createArena,
  type BenchOptions,
  type Stage,
} from '../support/stage.js';

const SUBJECTS = ['bootmem', 'bootmem+background'] as const;
const STEP = 64 * 1024;

const arenaBytes = (quick: boolean): number => (quick ? 128 : 512) * M;
const caseOf = (bytes: number): string =>
  `stalls of a consumer at half the helper's rate: ${bytes / M} MiB in 64 KiB blocks, units of 256 KiB`;

interface Stalls {
  readonly stallMs: number;
  readonly stalls: number;
  readonly worstMs: number;
}

/** Takes 64 KiB of an arena at a time, at `bytesPerSecond`; how long it was held up. */
function consume(memory: UnacceptedMemory, bytes: number, bytesPerSecond: number): Stalls {
  const begin = performance.now();
  let stallMs = 0;
  let stalls = 0;
  let worstMs = 0;
  for (let at = 0; at < bytes; at += STEP) {
    const due = begin + (at / bytesPerSecond) * 1000;
    while (performance.now() < due);
    const before = performance.now();
    const { cells, waited } = memory.acceptMemory(at, STEP);
    const took = performance.now() - before;
    if (cells === 0 && waited === 0) continue;
    stallMs += took;
    stalls += 1;
    worstMs = Math.max(worstMs, took);
  }
  return { stallMs, stalls, worstMs };
}

interface Help {
  readonly bytes: number;
  readonly wall: number;
}

function help(
  stage: Stage,
  handle: UnacceptedMemoryHandle,
  sync: SharedArrayBuffer,
  parties: number,
): Promise<Help> {
  const pacer = Pacer.create().toHandle();
  return ask<Help>(stage.helper, { kind: 'helpArena', handle, pacer, sync, parties });
}

/** Bytes a second of the helper, while this thread is as busy as the consumer will be. */
async function helperRate(stage: Stage, bytes: number): Promise<number> {
  await stage.collect();
  const arena = createArena(bytes, ARENA_UNIT);
  const alone = help(stage, arena.toHandle(), new SharedArrayBuffer(4), 1);
  const finished = alone.then(() => true);
  while (!(await Promise.race([finished, soon()]))) busy(5);
  const { bytes: done, wall } = await alone;
  return (done / wall) * 1000;
}

export async function stalls(samples: Samples, options: BenchOptions): Promise<void> {
  const { quick, rounds, stage } = options;
  const bytes = arenaBytes(quick);
  const name = caseOf(bytes);
  // The helper's rate varies with the frames it gets (backed by the host already, or not) by a factor of
  // three; the consumer goes by the slowest seen so far, while another thread is busy as it will be.
  let slowest = Number.POSITIVE_INFINITY;
  await warmUp(() => helperRate(stage, 16 * M));
  await warmUp(() => 1 / consume(createArena(16 * M, ARENA_UNIT), 16 * M, Infinity).stallMs);
  for (let round = 0; round < rounds; round += 1) {
    slowest = Math.min(slowest, await helperRate(stage, bytes));
    for (const subject of inTurn(SUBJECTS, round)) {
      await stage.collect();
      const memory = createArena(bytes, ARENA_UNIT);
      let helped: Promise<Help> | undefined;
      if (subject === 'bootmem+background') {
        const sync = new SharedArrayBuffer(4);
        helped = help(stage, memory.toHandle(), sync, 2);
        const words = new Int32Array(sync);
        while (Atomics.load(words, 0) === 0) await soon();
        Atomics.add(words, 0, 1);
      }
      const result = consume(memory, bytes, slowest / 2);
      const helper = await helped;
      samples.add(name, subject, 'consumer', 'MB/s', slowest / 2e6);
      if (helper !== undefined)
        samples.add(name, subject, 'helper', 'MB/s', helper.bytes / helper.wall / 1000);
      samples.add(name, subject, 'stalled', 'ms', result.stallMs);
      samples.add(name, subject, 'stalls', '', result.stalls);
      samples.add(name, subject, 'worst', 'ms', result.worstMs);
    }
  }
}

/** Time held up with the helper against without. */
export function summariseStalls(samples: Samples, quick: boolean): void {
  const [without, withHelper] = SUBJECTS.map((subject) =>
    samples.median(caseOf(arenaBytes(quick)), subject, 'stalled'),
  );
  const share = short((100 * withHelper!) / without!);
  console.log(`stalled with the helper: ${share} % of the time without`);
}

/** False, after the messages that wait have been handled. */
function soon(): Promise<boolean> {
  return new Promise((resolve) => {
    setImmediate(() => {
      resolve(false);
    });
  });
}

/** Keeps this thread busy. */
function busy(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
