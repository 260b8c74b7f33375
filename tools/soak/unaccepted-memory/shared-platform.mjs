// A platform over shared words, for the soak of conversion: it knows the state of every unit, keeps each call busy for a
// moment so that kills land inside, and counts what no guest may do.
const { add, exchange, load, store } = Atomics;

export const Unit = { PENDING: 0, ACCEPTED: 1, SHARED: 2, CHANGING: 3 };
/** Word 0 counts faults, word 1 is what the first was: from, to; then one word a unit. */
export const HEADER = 4;

/** @param {{ words: Int32Array, unitSize: number, busy: number }} settings */
export function sharedPlatform({ words, unitSize, busy }) {
  const change = (start, end, to, allowed, turns = busy) => {
    for (let unit = start / unitSize; unit < end / unitSize; unit += 1) {
      const from = exchange(words, HEADER + unit, Unit.CHANGING);
      if (allowed.includes(from)) continue;
      if (add(words, 0, 1) === 0) store(words, 1, (unit << 8) | (from << 4) | to);
    }
    for (let spin = 0; spin < turns; spin += 1) load(words, 0);
    for (let unit = start / unitSize; unit < end / unitSize; unit += 1)
      store(words, HEADER + unit, to);
  };
  return {
    name: 'shared platform',
    granularity: Number.MAX_SAFE_INTEGER,
    maxRun: unitSize,
    repeatable: 'never',
    accept: (start, end) => change(start, end, Unit.ACCEPTED, [Unit.PENDING], busy * 20),
    convert(start, end, to) {
      const { ACCEPTED, SHARED, CHANGING, PENDING } = Unit;
      // A call that was cut off may be made shared again; nothing else may follow it.
      if (to === 'shared') change(start, end, SHARED, [ACCEPTED, SHARED, CHANGING]);
      else change(start, end, to === 'private' ? ACCEPTED : PENDING, [SHARED]);
    },
    toHandle: () => ({ kind: 'shared-platform', words, unitSize, busy }),
  };
}
export const openers = { 'shared-platform': sharedPlatform };
