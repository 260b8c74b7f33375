// What the benchmarked jobs do: nothing, a given amount of CPU, AES-256-GCM over a buffer.
import { createCipheriv } from 'node:crypto';
import { threadId } from 'node:worker_threads';
import { stepsFor } from './steps.mjs';

const KEY = Buffer.alloc(32, 7);

/** The trivial job. */
export const increment = (value) => value + 1;

/**
 * Spends `steps` steps of CPU that no optimiser can drop; returns a checksum. Each step waits for one xor and one product of the
 * step before, in whatever function the loop is compiled into: sums of three would take four cycles in one and five in another.
 */
export function burn(steps) {
  let state = 1;
  for (let i = 0; i < steps; i += 1) state = Math.imul(state ^ i, 1103515245);
  return state;
}

/** The same; returns which thread did it, and when it was done in milliseconds of a clock that all threads share. */
export function burnTimed(steps) {
  burn(steps);
  return [threadId, Number(process.hrtime.bigint()) / 1e6];
}

/**
 * CPU microseconds that a call of `burn` takes: the least of several tries of 2 ms. The clock is the process's, as Node 20
 * has none of the thread: the other threads must have nothing to do meanwhile.
 */
export function costOf(steps) {
  const calls = Math.max(1, Math.round(1_500_000 / steps));
  let least = Infinity;
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const before = process.cpuUsage();
    for (let call = 0; call < calls; call += 1) burn(steps);
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / calls);
  }
  return least;
}

/** How many steps of `burn` take `microseconds` of the calling thread's CPU on this machine now. */
export const calibrate = (microseconds) => stepsFor(costOf, microseconds);

/** Encrypts one packet; the nonce is its number. Returns cipher text and tag. */
export function encrypt({ number, data }) {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(number, 8);
  const cipher = createCipheriv('aes-256-gcm', KEY, nonce);
  return Buffer.concat([cipher.update(data), cipher.final(), cipher.getAuthTag()]);
}
