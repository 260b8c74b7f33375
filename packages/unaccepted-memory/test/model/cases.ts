/**
 * Which cases the exploration runs through: every way in which two or three workers can ask for ranges of up to
 * four units (the order of the workers does not matter), on each kind of backend, with and without a death.
 */
import type { ModelConfig } from './accept-model.js';

type Request = readonly [number, number];

/** All non-empty ranges within `units`. */
function rangesOf(units: number): Request[] {
  const ranges: Request[] = [];
  for (let start = 0; start < units; start += 1) {
    for (let end = start + 1; end <= units; end += 1) ranges.push([start, end]);
  }
  return ranges;
}

/** All multisets of `workers` ranges that together reach the last unit and the first. */
export function requestsOf(workers: number, units: number): Request[][] {
  const ranges = rangesOf(units);
  const found: Request[][] = [];
  const pick = (chosen: Request[], from: number): void => {
    if (chosen.length === workers) {
      const low = Math.min(...chosen.map(([start]) => start));
      const high = Math.max(...chosen.map(([, end]) => end));
      // Fewer units are covered by the runs over fewer units.
      if (low === 0 && high === units) found.push(chosen);
      return;
    }
    for (let index = from; index < ranges.length; index += 1) {
      pick([...chosen, ranges[index]!], index);
    }
  };
  pick([], 0);
  return found;
}

/** The kinds of backend, and who may die. */
export function variants(mortal: boolean): Omit<ModelConfig, 'units' | 'requests'>[] {
  const list: Omit<ModelConfig, 'units' | 'requests'>[] = [];
  for (const repeatable of ['never', 'concurrently'] as const) {
    for (const cellsPerUnit of [1, 2] as const) {
      for (const maxRun of [1, 8]) {
        list.push({ repeatable, cellsPerUnit, maxRun, ...(mortal && { mortal: 0 }) });
      }
    }
  }
  return list;
}
