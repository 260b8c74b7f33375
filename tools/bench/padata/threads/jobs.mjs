// The benchmarked jobs as padata's threads run them; the same work as peer-tasks.mjs.
import { createCipheriv } from 'node:crypto';
import { burn } from './tasks.mjs';

export { burn, burnTimed, calibrate, costOf } from './tasks.mjs';

const KEY = Buffer.alloc(32, 7);
const TAG = 16;

export const increment = (value) => value + 1;
export const spin = (_value, { shared }) => burn(shared.steps);
export const same = (value) => value;
/** Of an object only a number comes back. */
export const take = ({ a, id }) => a ?? id;
export const clone = (value) => ({ ...value, count: value.count + 1 });

/** Sleeps nothing, counts itself: shows what the threads did while the owner was busy. */
export const countMe = (_value, { shared }) => {
  Atomics.add(shared.counter, 0, 1);
  return burn(shared.steps);
};

export function seal(data, context) {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(context.seq, 8);
  const cipher = createCipheriv('aes-256-gcm', KEY, nonce);
  const output = context.output(data.length + TAG);
  output.set(cipher.update(data));
  cipher.final();
  output.set(cipher.getAuthTag(), data.length);
  return output;
}

export const emptyChunk = () => undefined;

/** A chunk of the loop that the range cases run: a sum over shared doubles. */
export function sumChunk(start, end, { values }) {
  let sum = 0;
  for (let i = start; i < end; i += 1) sum += values[i] * values[i] + 1;
  return sum;
}
