/** Time from nothing to the first usable block of large arenas: lazily, and when all is accepted before. */
import { createWorkPool, type WorkPool } from '@bootmem/padata';
import { ZoneAcceptor } from '@bootmem/unaccepted-memory';
import { inTurn, type Samples } from '../../../kit/samples.js';
import { stopwatch, type Times } from '../../../kit/stopwatch.js';
import { short } from '../../../kit/table.js';
import { warmUp } from '../../../kit/warm-up.mjs';
import { SharedZone } from '../../../../packages/unaccepted-memory/test/support/shared-zone.mjs';
import { ARENA_UNIT, G, M, createArena, type BenchOptions, type Stage } from '../support/stage.js';

const TWO_THREADS = 'eager, 2 threads';
/** The lazy one is cheap: it runs more often. */
const SUBJECTS = ['bootmem', 'eager', 'bootmem', TWO_THREADS, 'bootmem'] as const;
type Subject = (typeof SUBJECTS)[number];

const arenaSizes = (quick: boolean): number[] => (quick ? [G / 4] : [2 * G, 4 * G]);
const caseOf = (bytes: number): string => `first allocation: arena of ${bytes / G} GiB`;

const threadFn = {
  module: import.meta.resolve('@bootmem/unaccepted-memory'),
  name: 'acceptUnitsJob',
};

async function openPool(): Promise<WorkPool> {
  const pool = createWorkPool({ threads: 1 });
  await pool.ready();
  await pool.load(threadFn);
  return pool;
}

async function run(stage: Stage, subject: Subject, bytes: number): Promise<Times> {
  await stage.collect();
  // A pool of its own each time: its threads keep the arena of their last job.
  const pool = subject === TWO_THREADS ? await openPool() : undefined;
  const times = stopwatch();
  const memory = createArena(bytes, ARENA_UNIT);
  const zone = new SharedZone({ pages: bytes / 4096 });
  const mode = subject === 'bootmem' ? 'lazy' : 'eager';
  zone.gate = ZoneAcceptor.create({ memory, port: zone, mode });
  await pool?.runMultithreaded({
    threadFn,
    arg: { memory: memory.toHandle() },
    start: 0,
    size: memory.geometry.unitCount,
    minChunk: 64,
    maxThreads: 2,
  });
  zone.handOver(0, zone.pages);
  if (zone.alloc(0) === undefined) throw new Error('no memory');
  const took = times();
  await pool?.close();
  return took;
}

export async function firstAllocation(samples: Samples, options: BenchOptions): Promise<void> {
  const { quick, stage } = options;
  for (const subject of new Set(SUBJECTS))
    await warmUp(async () => 1 / (await run(stage, subject, 64 * M)).wallMs);
  for (let round = 0; round < (quick ? 1 : 2); round += 1) {
    for (const bytes of arenaSizes(quick)) {
      for (const subject of inTurn(SUBJECTS, round)) {
        const { wallMs, cpuMs } = await run(stage, subject, bytes);
        samples.add(caseOf(bytes), subject, 'first', 'ms', wallMs);
        samples.add(caseOf(bytes), subject, 'CPU', 'ms', cpuMs);
      }
    }
  }
}

/** How much sooner the lazy one is. */
export function summariseFirstAllocation(samples: Samples, quick: boolean): void {
  for (const bytes of arenaSizes(quick)) {
    const [eager, lazy] = ['eager', 'bootmem'].map((subject) =>
      samples.median(caseOf(bytes), subject, 'first'),
    );
    console.log(`first allocation, ${bytes / G} GiB: eager / bootmem = ${short(eager! / lazy!)}`);
  }
}
