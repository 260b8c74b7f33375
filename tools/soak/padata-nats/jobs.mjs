// Jobs of the soak: most are nothing, one in 64 takes some milliseconds.
export function step(n) {
  if (n % 64 === 0) {
    const until = performance.now() + 3;
    while (performance.now() < until);
  }
  return n * 3 + 1;
}
