/**
 * A backend that measures another one: calls, bytes, time, and how much of it happened under a lock. So designs
 * can be compared, and "never under the zone lock" is a number, not a promise.
 */
import type { AcceptBackend } from './backend.js';
import type { ModelBackend, PlatformWork } from './cost.js';
import { Counters } from '../base/counters.js';
import { checkMethods } from '../base/check.js';

/** What is counted, over all threads. Times in ns, cycles from the platform model if there is one. */
export type MeterCounter =
  | 'calls'
  | 'bytes'
  | 'nanoseconds'
  | 'cycles'
  | 'lockedCalls'
  | 'lockedNanoseconds'
  | 'lockedCycles';
const COUNTERS: readonly MeterCounter[] = [
  'calls',
  'bytes',
  'nanoseconds',
  'cycles',
  'lockedCalls',
  'lockedNanoseconds',
  'lockedCycles',
];

/** A measuring backend. */
export interface MeteredBackend extends AcceptBackend {
  /** Everything counted so far, by all threads. */
  stats(): Record<MeterCounter, number>;
  /** The shared words, for {@link meterBackend} in another thread. */
  readonly counters: ArrayBufferLike;
}

/** Settings of the meter. */
export interface MeterOptions {
  /** True while the calling thread holds a lock that must not be held during an accept; default never. */
  readonly underLock?: () => boolean;
  /** Words of another thread's meter to add to. */
  readonly counters?: ArrayBufferLike;
}

/** Wraps `inner`; behaves as it does and counts. */
export function meterBackend(inner: AcceptBackend, options: MeterOptions = {}): MeteredBackend {
  checkMethods('inner', inner, ['accept', 'toHandle']);
  const counters = new Counters(COUNTERS, options.counters);
  const { underLock = () => false } = options;
  const model = 'cost' in inner ? (inner as ModelBackend) : undefined;
  const measured = (start: number, end: number, work: PlatformWork, run: () => void): void => {
    const locked = underLock();
    const cycles = model?.cost(start, end, work).cycles ?? 0;
    const begin = performance.now();
    try {
      run();
    } finally {
      const nanoseconds = (performance.now() - begin) * 1e6;
      counters.add({ calls: 1, bytes: end - start, nanoseconds, cycles });
      if (locked) {
        counters.add({ lockedCalls: 1, lockedNanoseconds: nanoseconds, lockedCycles: cycles });
      }
    }
  };
  return {
    name: inner.name,
    granularity: inner.granularity,
    maxRun: inner.maxRun,
    repeatable: inner.repeatable,
    counters: counters.buffer,
    accept(start: number, end: number): void {
      measured(start, end, 'accept', () => {
        inner.accept(start, end);
      });
    },
    ...(inner.convert !== undefined && {
      convert(start: number, end: number, to: 'shared' | 'private' | 'unaccepted'): void {
        measured(start, end, to, () => {
          inner.convert!(start, end, to);
        });
      },
    }),
    toHandle: () => inner.toHandle(),
    stats: () => counters.read(),
  };
}
