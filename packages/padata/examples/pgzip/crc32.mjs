/**
 * CRC-32 of a whole from the CRC-32s of its parts.
 *
 * A CRC register that is fed zero bytes changes linearly over GF(2): one 32 × 32 bit matrix for one zero byte,
 * its square for two, and so on. Appending a part of n bytes multiplies the register by the n-byte matrix and
 * adds the part's own CRC. Cost: O(log n) matrix products, a few microseconds.
 *
 * Source: the definition of CRC-32 (ISO 3309, RFC 1952 §8) and linear algebra.
 */
import { crc32 } from 'node:zlib';

export { crc32 };

/** Row r of a matrix is the image of bit r. */
const apply = (matrix, vector) => {
  let sum = 0;
  for (let bit = 0; vector !== 0; bit += 1, vector >>>= 1) if (vector & 1) sum ^= matrix[bit];
  return sum >>> 0;
};
const multiply = (left, right) => right.map((row) => apply(left, row));

const POLYNOMIAL = 0xedb88320;
const oneBit = Array.from({ length: 32 }, (_, bit) =>
  bit === 0 ? POLYNOMIAL : (1 << (bit - 1)) >>> 0,
);
const POWERS = [];
for (
  let matrix = oneBit, doubling = 0;
  doubling < 3 + 53;
  doubling += 1, matrix = multiply(matrix, matrix)
) {
  if (doubling >= 3) POWERS.push(matrix);
}

/** CRC-32 of A followed by B, from crc(A), crc(B) and B's length in bytes. */
export function combineCrc32(first, second, secondLength) {
  let register = first;
  for (let rest = secondLength, power = 0; rest > 0; power += 1, rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) register = apply(POWERS[power], register);
  }
  return (register ^ second) >>> 0;
}
