/**
 * From the states of single units to runs of addresses. Pure: whoever asks says how a unit's state is found.
 *
 * ```text
 * units    0  1  2  3  4  5
 * states   .  .  U  U  !  .      runs   [0, 2) accepted   [2, 4) unaccepted   [4, 5) interrupted   [5, 6) accepted
 * ```
 * Runs ascend, touch, are never empty, and neighbours differ in state.
 */
import type { ByteRange } from '../table/table.js';
import { addressOf } from '../table/unit-range.js';
import type { UnitGeometry, UnitRange } from '../table/unit-range.js';
import type { StateRun, UnitState } from './types.js';

/**
 * The runs of `units`, as addresses.
 * @param geometry  where units lie
 * @param units     which
 * @param stateOf   asked once for each unit, in ascending order
 * @remarks O(units); the list grows with the runs only
 */
export function runsOf(
  geometry: UnitGeometry,
  units: UnitRange,
  stateOf: (unit: number) => UnitState,
): StateRun[] {
  const runs: { start: number; end: number; state: UnitState }[] = [];
  for (let unit = units.start; unit < units.end; unit += 1) {
    const state = stateOf(unit);
    const end = addressOf(geometry, unit + 1);
    const last = runs.at(-1);
    if (last?.state === state) last.end = end;
    else runs.push({ start: addressOf(geometry, unit), end, state });
  }
  return runs;
}

/** Where runs are in one state, without the state. */
export function rangesIn(runs: readonly StateRun[], state: UnitState): ByteRange[] {
  return runs.filter((run) => run.state === state).map(({ start, end }) => ({ start, end }));
}
