// How many steps of a loop take a given time, found by trying.

/** So many steps a microsecond are tried first. */
const FIRST_GUESS = 500;
/** Near enough. */
const WITHIN = 0.003;
/** A machine whose speed changes meanwhile is never near enough: then the last try has to do. */
const MOST_TURNS = 8;

/**
 * Steps whose cost is `microseconds`, to 0.3 %.
 * @param costOf  microseconds of so many steps
 */
export function stepsFor(costOf, microseconds) {
  let steps = Math.round(FIRST_GUESS * microseconds);
  for (let turn = 0; turn < MOST_TURNS; turn += 1) {
    const share = costOf(steps) / microseconds;
    if (Math.abs(share - 1) < WITHIN) break;
    steps = Math.max(1, Math.round(steps / share));
  }
  return steps;
}
