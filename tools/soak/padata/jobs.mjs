// Job functions of the soak: checked arithmetic, random delays, random deaths.
export function work(n) {
  // A few jobs take a while, most do not.
  if ((n * 2654435761) >>> 20 === 0) {
    const until = performance.now() + 0.05;
    while (performance.now() < until);
  }
  return (n ^ 0x5bd1e995) >>> 0;
}
export function fragile(n) {
  if (n < 0) process.exit(9);
  return n;
}
export async function patient(n) {
  await new Promise((resolve) => setTimeout(resolve, n % 3));
  return n;
}
export function bytes(b, ctx) {
  const out = ctx.output(b.length);
  for (let i = 0; i < b.length; i += 1) out[i] = b[i] ^ 0xa5;
  return out;
}
export function mark(start, end, arg) {
  const marks = new Int32Array(arg.marks);
  for (let i = start; i < end; i += 1) Atomics.add(marks, i, 1);
}
