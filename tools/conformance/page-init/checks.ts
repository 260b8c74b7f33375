/** Counts checks of one boot and keeps the differences in words. */

/** The checks of one boot. */
export class Checks {
  passed = 0;
  readonly failures: string[] = [];

  /** Counts a fact. */
  ok(holds: boolean, what: () => string): void {
    if (holds) this.passed += 1;
    else this.failures.push(what());
  }

  /** `actual` and `expected` are equal as JSON. */
  equal(what: string, actual: unknown, expected: unknown): void {
    const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
    this.ok(a === b, () => `${what}: ${cut(a)} instead of ${cut(b)}`);
  }
}

const cut = (text: string | undefined): string => String(text).slice(0, 200);
