/** What the Web Workers run. */
export function square(value: number): number {
  return value * value;
}

export function sumSquares(start: number, end: number): number {
  let sum = 0;
  for (let i = start; i < end; i += 1) sum += (i % 1000) * (i % 1000);
  return sum;
}
