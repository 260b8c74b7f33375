// What a thread does: scrypt, which computes for tens of milliseconds on purpose and cannot be interrupted.
import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';

/** The key of a password; `cost` is the logarithm of scrypt's N. */
export const derive = (password, salt, cost) =>
  scryptSync(password, salt, 32, { N: 2 ** cost, r: 8, p: 1, maxmem: 2 ** (cost + 11) });

/** `scrypt:cost:salt:key`, what is to be stored of a password. */
export function hash({ password, cost }) {
  const salt = randomBytes(16);
  return ['scrypt', cost, salt.toString('hex'), derive(password, salt, cost).toString('hex')].join(
    ':',
  );
}

/** Whether `stored` was made of this password. */
export function verify({ password, stored }) {
  const [, cost, salt, key] = stored.split(':');
  return timingSafeEqual(
    derive(password, Buffer.from(salt, 'hex'), Number(cost)),
    Buffer.from(key, 'hex'),
  );
}
