/**
 * The published thread scaling as the page draws it: a curve a machine.
 */
import { PUBLISHED_MACHINES } from '../bench/published.js';

/** One machine's curve. */
export interface PublishedCurve {
  readonly machine: string;
  /** Pairs of threads and milliseconds; 0 threads = without the series. */
  readonly points: readonly (readonly [threads: number, ms: number])[];
}

/** The six machines of the series. */
export const PUBLISHED_CURVES: readonly PublishedCurve[] = PUBLISHED_MACHINES.map(
  ({ machine, rows }) => ({
    machine,
    points: rows.map(({ threads, definitMs }) => [threads, definitMs] as const),
  }),
);
