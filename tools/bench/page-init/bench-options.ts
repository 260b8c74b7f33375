/** What all cases are told. */
import type { WorkPool } from '@bootmem/padata';

/** Name of our rows. */
export const OURS = 'bootmem';

export interface BenchOptions {
  readonly quick: boolean;
  readonly json: boolean;
  /** The most threads that work on one machine, the calling one included. */
  readonly most: number;
  /** One, two, half of the most, the most. */
  readonly threadCounts: readonly number[];
  readonly pool: WorkPool;
}

/** Lets go of the last machine's descriptors. */
export function collect(): void {
  (globalThis as { gc?: () => void }).gc?.();
}

/** With so many digits after the point. */
export const fixed = (value: number, digits = 1): string => value.toFixed(digits);
