/**
 * A model of accepting memory in an SEV-SNP guest: page state change requests in batches, then validation.
 *
 * ```text
 * request    up to 64 entries an exit; an entry is 2 MiB when aligned and that much is left, else 4 KiB
 * validate   one PVALIDATE an entry; a 2 MiB one that meets 4 KiB host pages is repeated as 512 × 4 KiB
 * ```
 * To shared: validation is taken back first (the same instruction), then the page state changes. To private: as an
 * accept. To unaccepted: the page state alone changes; whoever uses it validates it.
 *
 * Counts are 64-bit: a range of 2^32 pages must not become zero pages.
 *
 * Source: AMD SEV-ES guest-hypervisor communication block standard, page state change; AMD APM volume 3, PVALIDATE.
 */
import type { BackendHandle } from './backend.js';
import { PAGE_SIZE } from '../base/constants.js';
import { Counters } from '../base/counters.js';
import { checkInteger, checkObject } from '../base/check.js';
import { overlaps, spend } from './cost.js';
import type { AcceptCost, ModelBackend, ModelOptions, PlatformWork } from './cost.js';

const LARGE = 2 ** 21;
/** Entries that one exit can carry. */
const BATCH_ENTRIES = 64;

/** Counters of the model. */
export type SnpCounter = 'exits' | 'entries' | 'pvalidates' | 'mismatches' | 'pages' | 'cycles';
const COUNTERS: readonly SnpCounter[] = [
  'exits',
  'entries',
  'pvalidates',
  'mismatches',
  'pages',
  'cycles',
];

/** Settings of the SNP model. */
export interface SnpModelOptions extends ModelOptions {
  /** Cycles of one exit to the host; default 5000. */
  readonly exitCycles?: number;
  /** Cycles of one PVALIDATE; default 1000. */
  readonly pvalidateCycles?: number;
  /** Counters to add to, from another thread's model. */
  readonly counters?: ArrayBufferLike;
}

/** The model with its counters. */
export interface SnpModel extends ModelBackend {
  /** What all threads have done so far. */
  stats(): Record<SnpCounter, number>;
}

/** Creates the model. @throws ERR_ACCEPT_ARGUMENT when hostPageSize is no page size of the platform */
export function createSnpModel(options: SnpModelOptions = {}): SnpModel {
  checkObject('options', options);
  const { hostPageSize = LARGE, exitCycles = 5000, pvalidateCycles = 1000 } = options;
  const { zeroCyclesPerByte = 0, refuse = [], hostSmall = [] } = options;
  checkInteger('hostPageSize', hostPageSize, PAGE_SIZE, 2 ** 30);
  checkInteger('exitCycles', exitCycles, 0);
  const counters = new Counters(COUNTERS, options.counters);

  const tally = (start: number, end: number, work: PlatformWork = 'accept') => {
    const head = Math.min(end, Math.ceil(start / LARGE) * LARGE);
    const tail = Math.max(head, Math.floor(end / LARGE) * LARGE);
    const large = (tail - head) / LARGE;
    const small = (head - start + (end - tail)) / PAGE_SIZE;
    const entries = large + small;
    // Every large entry mismatches on a host of small pages; otherwise those that touch a small range.
    let mismatches = hostPageSize < LARGE ? large : 0;
    if (mismatches === 0 && hostSmall.length > 0) {
      for (let at = head; at < tail; at += LARGE) {
        if (hostSmall.some((r) => overlaps(r, at, at + LARGE))) mismatches += 1;
      }
    }
    const validates = work !== 'unaccepted';
    if (!validates) mismatches = 0;
    const pvalidates = validates ? entries + mismatches * (LARGE / PAGE_SIZE) : 0;
    const exits = Math.ceil(entries / BATCH_ENTRIES);
    const usable = work === 'accept' || work === 'private';
    const cycles =
      exits * exitCycles +
      pvalidates * pvalidateCycles +
      (usable ? (end - start) * zeroCyclesPerByte : 0);
    // Pages count when the guest gets them.
    const pages = usable ? (end - start) / PAGE_SIZE : 0;
    return { exits, entries, pvalidates, mismatches, pages, cycles };
  };

  const run = (start: number, end: number, work: PlatformWork): void => {
    if (refuse.some((r) => overlaps(r, start, end))) throw new Error('SNP: memory not validated');
    const sum = tally(start, end, work);
    counters.add(sum);
    spend(sum.cycles, options.realTimeGHz);
  };

  return {
    name: 'SNP model',
    granularity: Number.MAX_SAFE_INTEGER,
    maxRun: Number.MAX_SAFE_INTEGER,
    repeatable: 'never',
    accept(start: number, end: number): void {
      run(start, end, 'accept');
    },
    convert: run,
    cost(start: number, end: number, work?: PlatformWork): AcceptCost {
      const { exits, pvalidates, cycles } = tally(start, end, work);
      return { calls: exits + pvalidates, cycles };
    },
    stats: () => counters.read(),
    toHandle: (): BackendHandle => ({
      kind: 'snp-model',
      options: { ...options, counters: counters.buffer },
    }),
  };
}
