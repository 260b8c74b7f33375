/** Counts checks and remembers what differed, in words that point at the place. */

const shown = (value: unknown): string => {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
};

/** Where two texts first differ. */
function firstDifference(actual: string, expected: string): string {
  const [a, b] = [actual.split('\n'), expected.split('\n')];
  const at = a.findIndex((line, i) => line !== b[i]);
  const line = at < 0 ? a.length : at;
  return `line ${line + 1}: ${shown(a[line] ?? '<end>')} instead of ${shown(b[line] ?? '<end>')}`;
}

/** The checks of one run. */
export class Checks {
  passed = 0;
  readonly failures: string[] = [];

  /** `actual` and `expected` are equal as JSON. */
  equal(what: string, actual: unknown, expected: unknown): void {
    const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
    if (a === b) this.passed += 1;
    else this.failures.push(`${what}: ${shown(actual)} instead of ${shown(expected)}`);
  }

  /** Two texts are equal byte by byte. */
  sameText(what: string, actual: string, expected: string): void {
    if (actual === expected) this.passed += 1;
    else this.failures.push(`${what}: ${firstDifference(actual, expected)}`);
  }
}
