// What the benchmarked jobs do: nothing, a given amount of CPU, AES-256-GCM over a buffer.
import { createCipheriv } from 'node:crypto';

const KEY = Buffer.alloc(32, 7);

/** The trivial job. */
export const increment = (value) => value + 1;

/** Spends `steps` steps of CPU that no optimiser can drop; returns a checksum. */
export function burn(steps) {
  let state = 1;
  for (let i = 0; i < steps; i += 1) state = (Math.imul(state, 1103515245) + 12345 + i) | 0;
  return state;
}

/** How many steps take `microseconds` on this machine now: the best of several tries. */
export function calibrate(microseconds) {
  const steps = 200_000;
  let best = Infinity;
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const start = performance.now();
    burn(steps);
    best = Math.min(best, performance.now() - start);
  }
  return Math.max(1, Math.round((steps * microseconds) / (best * 1000)));
}

/** Encrypts one packet; the nonce is its number. Returns cipher text and tag. */
export function encrypt({ number, data }) {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(number, 8);
  const cipher = createCipheriv('aes-256-gcm', KEY, nonce);
  return Buffer.concat([cipher.update(data), cipher.final(), cipher.getAuthTag()]);
}
