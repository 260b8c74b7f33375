/**
 * A model of accepting memory in a TDX guest: which calls are made, which are refused, what they cost.
 *
 * ```text
 * position aligned to 1 GiB and that much left?  try 1 GiB ── refused ─▶ 2 MiB aligned?  try 2 MiB ── refused ─▶ 4 KiB
 * ```
 * A level is refused when the host backs the place with smaller pages. A refused 4 KiB is the end: the guest
 * stops with `TDX: Failed to accept memory`. Calls of one kind in a row are counted by arithmetic, not one by one.
 *
 * Conversion is one MapGPA call for the range; to private, the range is accepted after it.
 *
 * Source: Intel TDX module specification, TDG.MEM.PAGE.ACCEPT (leaf 6); seed discussion of 2021 for the figures
 * (~1 000 cycles a call; one MapGPA and one accept per 2 MiB expected then).
 */
import type { BackendHandle } from './backend.js';
import { PAGE_SIZE } from '../base/constants.js';
import { Counters } from '../base/counters.js';
import { checkInteger, checkObject } from '../base/check.js';
import { overlaps, spend } from './cost.js';
import type { AcceptCost, ModelBackend, ModelOptions, PlatformWork } from './cost.js';

const LEVELS = [
  { name: '1G', size: 2 ** 30, code: 2 },
  { name: '2M', size: 2 ** 21, code: 1 },
  { name: '4K', size: PAGE_SIZE, code: 0 },
] as const;

/** Counters of the model. */
export type TdxCounter =
  'accept1G' | 'accept2M' | 'accept4K' | 'refused' | 'mapGpa' | 'cycles' | 'bytes';
const COUNTERS: readonly TdxCounter[] = [
  'accept1G',
  'accept2M',
  'accept4K',
  'refused',
  'mapGpa',
  'cycles',
  'bytes',
];

/** One call as the model makes it; `argument` has the level in its low bits, as the module wants it. */
export interface TdxCall {
  /** Address with the level code: 0 = 4K, 1 = 2M, 2 = 1G. */
  readonly argument: number;
  /** How many equal calls in a row at growing addresses this stands for. */
  readonly count: number;
  /** False when the module refused it. */
  readonly ok: boolean;
}

/** Settings of the TDX model. */
export interface TdxModelOptions extends ModelOptions {
  /** Cycles of one call into the module; default 1000. */
  readonly callCycles?: number;
  /** Cycles of a refused attempt; default the same as a call. */
  readonly refusedCycles?: number;
  /** Also make one MapGPA call per accept, as before series v13; default false. Conversion always makes one. */
  readonly mapGpa?: boolean;
  /** Counters to add to, from another thread's model. */
  readonly counters?: ArrayBufferLike;
  /** Sees every call, on the calling thread. */
  readonly onCall?: (call: TdxCall) => void;
}

/** The model with its counters. */
export interface TdxModel extends ModelBackend {
  /** What all threads have done so far. */
  stats(): Record<TdxCounter, number>;
}

/** Creates the model. @throws ERR_ACCEPT_ARGUMENT when hostPageSize is no page size of the platform */
export function createTdxModel(options: TdxModelOptions = {}): TdxModel {
  checkObject('options', options);
  const { hostPageSize = 2 ** 21, callCycles = 1000, mapGpa = false, onCall } = options;
  const {
    refusedCycles = callCycles,
    zeroCyclesPerByte = 0,
    refuse = [],
    hostSmall = [],
  } = options;
  checkInteger('hostPageSize', hostPageSize, PAGE_SIZE, 2 ** 30);
  checkInteger('callCycles', callCycles, 0);
  const counters = new Counters(COUNTERS, options.counters);

  /** True when the host backs all of the place with pages of at least `size`. */
  const backs = (start: number, size: number): boolean =>
    size <= hostPageSize &&
    (size === PAGE_SIZE || !hostSmall.some((r) => overlaps(r, start, start + size)));

  const walk = (start: number, end: number, visit: (call: TdxCall) => void): void => {
    let position = start;
    while (position < end) {
      let done = 0;
      for (const { size, code } of LEVELS) {
        if (position % size !== 0 || end - position < size) continue;
        const argument = position + code;
        if (backs(position, size) && !refuse.some((r) => overlaps(r, position, position + size))) {
          // Pages up to the next place where a larger level may be tried again are all alike.
          const alike = size === PAGE_SIZE ? smallRun(position, end, refuse) : size;
          visit({ argument, count: alike / size, ok: true });
          done = alike;
          break;
        }
        visit({ argument, count: 1, ok: false });
        if (size === PAGE_SIZE) throw new Error('TDX: Failed to accept memory');
      }
      position += done;
    }
  };

  const tally = (
    start: number,
    end: number,
    work: PlatformWork = 'accept',
    visit?: (call: TdxCall) => void,
  ) => {
    const maps = mapGpa || work !== 'accept';
    const accepts = work === 'accept' || work === 'private';
    const sum = { accept1G: 0, accept2M: 0, accept4K: 0, refused: 0, mapGpa: maps ? 1 : 0 };
    let failure: unknown;
    if (!accepts && refuse.some((r) => overlaps(r, start, end))) {
      failure = new Error('TDX: MapGPA failed');
    }
    try {
      walk(start, accepts ? end : start, (call) => {
        visit?.(call);
        if (!call.ok) sum.refused += call.count;
        else if (call.argument % 4 === 2) sum.accept1G += call.count;
        else if (call.argument % 4 === 1) sum.accept2M += call.count;
        else sum.accept4K += call.count;
      });
    } catch (error) {
      failure = error;
    }
    const bytes = sum.accept1G * 2 ** 30 + sum.accept2M * 2 ** 21 + sum.accept4K * PAGE_SIZE;
    const calls = sum.accept1G + sum.accept2M + sum.accept4K + sum.mapGpa;
    const cycles = calls * callCycles + sum.refused * refusedCycles + bytes * zeroCyclesPerByte;
    return { sum, bytes, calls, cycles, failure };
  };

  const run = (start: number, end: number, work: PlatformWork): void => {
    const { sum, bytes, cycles, failure } = tally(start, end, work, onCall);
    counters.add({ ...sum, bytes, cycles });
    spend(cycles, options.realTimeGHz);
    if (failure !== undefined) throw failure as Error;
  };

  return {
    name: 'TDX model',
    // Units are handed over whole: a second accept of the same page is a security matter.
    granularity: Number.MAX_SAFE_INTEGER,
    maxRun: Number.MAX_SAFE_INTEGER,
    repeatable: 'never',
    accept(start: number, end: number): void {
      run(start, end, 'accept');
    },
    convert: run,
    cost(start: number, end: number, work?: PlatformWork): AcceptCost {
      const { calls, cycles } = tally(start, end, work);
      return { calls, cycles };
    },
    stats: () => counters.read(),
    toHandle(): BackendHandle {
      // A function does not cross threads.
      const settings = Object.fromEntries(
        Object.entries(options).filter(([name]) => name !== 'onCall'),
      );
      return { kind: 'tdx-model', options: { ...settings, counters: counters.buffer } };
    },
  };
}

/** Bytes from `position` that are accepted in 4 KiB steps before a 2 MiB attempt is due or a refused page comes. */
function smallRun(
  position: number,
  end: number,
  refuse: readonly { readonly start: number; readonly end: number }[],
): number {
  const big = 2 ** 21;
  let stop = Math.min(end, (Math.floor(position / big) + 1) * big);
  for (const range of refuse) {
    if (range.end > position && range.start < stop) {
      stop = Math.floor(range.start / PAGE_SIZE) * PAGE_SIZE;
    }
  }
  return Math.max(PAGE_SIZE, stop - position);
}
