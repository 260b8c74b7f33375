// The tasks of the benchmark, as the peers' workers run them. Same work as tasks.mjs, other calling conventions.
import { burn, encrypt } from './tasks.mjs';

export { burnTimed } from './tasks.mjs';
export const same = (value) => value;
export const take = ({ a, id }) => a ?? id;

/** One value in, one out: a number for the trivial task, else an object that says what to do. */
export function task(value) {
  if (typeof value === 'number') return value + 1;
  if (typeof value !== 'object' || (value.kind ?? value.data) === undefined) return value;
  if (value.kind === 'burn') return burn(value.steps);
  if (value.kind === 'clone') return { ...value, count: value.count + 1 };
  if (value.kind === 'count') {
    Atomics.add(value.counter, 0, 1);
    return burn(value.steps);
  }
  if (value.kind === 'sum') {
    let sum = 0;
    for (let i = value.start; i < value.end; i += 1) sum += value.values[i] * value.values[i] + 1;
    return sum;
  }
  return encrypt(value);
}
