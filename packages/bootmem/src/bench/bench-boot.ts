/**
 * Boots one machine with several thread counts, interleaved round by round so that a slow moment of the
 * host hits all of them, and sums up: the table that the padata series shows for its machines.
 *
 * Base: deferred, one thread a node, as a kernel without the series does it; as many nodes at a time as threads may be used.
 * `definit` is the part that threads share (deferred initialisation); `boot` is everything from description to last page
 * ready.
 */
import type { MachineDescription } from '@bootmem/firmware-map';
import { inTurns, turn } from '@bootmem/firmware-map/derive';
import { collectGarbage } from './collect.js';
import { bootMemory } from '../boot/boot-memory.js';
import type { BenchReport, BenchRow } from '../bench-result.js';
import { deferredPartsSteps } from './deferred-pages.js';
import { chunkCost, helperStart, summarize, threadSteps } from './statistics.js';

/** How to measure. */
export interface BenchBootOptions {
  /** Measured boots a thread count; one more is run first and thrown away. */
  readonly rounds: number;
  /** Most threads. */
  readonly maxThreads: number;
  readonly profile: string;
  readonly source: string;
  /** As of a boot. */
  readonly limitBytes?: number;
  readonly signal?: AbortSignal;
  /** Called after each boot. */
  readonly onRound?: (done: number, total: number) => void;
}

/** A row to measure; 0 threads: the base. */
interface Subject {
  readonly threads: number;
  readonly percent: number;
}

/** What the rounds of a row gave, milliseconds. */
class Samples {
  readonly boot: number[] = [];
  readonly definit: number[] = [];
  readonly first: number[] = [];
  readonly helperStart: number[] = [];
  readonly chunk: number[] = [];
}

/**
 * Measures.
 * @param description  the machine
 * @param options      how often and how wide
 * @returns one row a thread count, the base first
 */
export async function benchBoot(
  description: MachineDescription,
  options: BenchBootOptions,
): Promise<BenchReport> {
  const { rounds, maxThreads, profile, source, limitBytes, signal, onRound } = options;
  const { parts } = await inTurns(deferredPartsSteps(description, profile), signal);
  const baseThreads = Math.max(1, Math.min(parts.length, maxThreads));
  const subjects: readonly Subject[] = [{ threads: 0, percent: 0 }, ...threadSteps(maxThreads)];
  const samples = subjects.map(() => new Samples());
  let pages = 0;
  let done = 0;
  const total = subjects.length * (rounds + 1);
  for (let round = 0; round <= rounds; round++) {
    for (const [index, { threads }] of subjects.entries()) {
      collectGarbage();
      const machine = await bootMemory(description, {
        ...(signal === undefined ? {} : { signal }),
        ...(limitBytes === undefined ? {} : { limitBytes }),
        ...(threads === 0 ? { threads: baseThreads, perNode: 1 } : { threads }),
        mode: 'deferred',
        profile,
        source,
      });
      await turn();
      const { timing, chunks } = machine.report();
      await machine.close();
      pages = timing.initialisedPages;
      done++;
      onRound?.(done, total);
      if (round === 0) continue;
      const sample = samples[index]!;
      sample.boot.push(timing.totalMs);
      sample.definit.push(timing.deferredMs);
      sample.first.push(timing.firstAllocationMs);
      sample.helperStart.push(...helperStart(chunks));
      sample.chunk.push(...chunkCost(chunks));
    }
  }
  return {
    schema: 'bootmem/bench',
    version: 1,
    source,
    pages,
    rounds,
    node: process.version,
    baseThreads,
    rows: rowsOf(subjects, samples),
  };
}

function rowsOf(subjects: readonly Subject[], samples: readonly Samples[]): BenchRow[] {
  const rows: BenchRow[] = [];
  for (const [index, { threads, percent }] of subjects.entries()) {
    const sample = samples[index]!;
    const bootMs = summarize(sample.boot);
    const definitMs = summarize(sample.definit);
    const base = rows[0];
    rows.push({
      threads,
      percent,
      bootMs,
      definitMs,
      firstAllocationMs: summarize(sample.first),
      bootFraction: bootMs.median === 0 ? 0 : Math.min(1, definitMs.median / bootMs.median),
      ...(base === undefined
        ? {}
        : {
            bootSpeedup: speedup(base.bootMs.median, bootMs.median),
            definitSpeedup: speedup(base.definitMs.median, definitMs.median),
          }),
      ...(sample.helperStart.length === 0 ? {} : { helperStartMs: summarize(sample.helperStart) }),
      ...(sample.chunk.length === 0 ? {} : { chunkMs: summarize(sample.chunk) }),
    });
  }
  return rows;
}

/** Percent saved, as the series prints it: (base − value) / base. */
function speedup(base: number, value: number): number {
  return base === 0 ? 0 : ((base - value) / base) * 100;
}
