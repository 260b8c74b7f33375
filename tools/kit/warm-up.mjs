// Runs a subject until its rate stands still, before anything of it is counted: a rate measured while the engine
// still compiles can be 20 times too low, and it is so in short runs first of all. Plain JavaScript, because
// processes without a TypeScript loader use it.

/** Measurements in a row that must not beat the best one before the first of them. */
const IN_A_ROW = 3;
/** A rate that is higher by less than this share counts as the same. */
const WITHIN = 0.05;
/** Compilers start late: what stands still before has not begun to move. */
const LEAST_MS = 300;
/** A machine that is busy otherwise may never give three equal rates: then this is enough. */
const MOST_MS = 3000;

/**
 * Calls `measure` until three rates in a row are at most 5 % above the best one before them, for 0.3 seconds at
 * least and 3 seconds at most. The row is held to what was before it: steps of 4 % each are a rise.
 * @param measure  runs a slice of the work, some tens of milliseconds long; its rate, the more the better
 * @returns the rates, in the order in which they came, and whether they came to stand still
 */
export async function warmUp(measure, { leastMs = LEAST_MS, mostMs = MOST_MS } = {}) {
  const rates = [];
  const start = performance.now();
  let before = 0;
  let still = 0;
  for (;;) {
    const rate = await measure();
    rates.push(rate);
    if (rate > before * (1 + WITHIN)) {
      before = rate;
      still = 0;
    } else still += 1;
    const passed = performance.now() - start;
    const steady = still >= IN_A_ROW;
    if ((steady && passed >= leastMs) || passed >= mostMs) return { rates, steady };
  }
}
