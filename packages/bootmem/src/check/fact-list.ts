/**
 * Collects facts. A fact is one comparable value that the kernel printed; its verdict is found here, in one
 * place, so that no kind of fact can forget to say "differs".
 */
import type { FactReport } from '../result.js';
import type { Doubt } from './lost/doubts.js';

/** Facts with their counts by verdict, as a report holds them. */
export function counted(facts: readonly FactReport[]): {
  equal: number;
  differs: number;
  notDerivable: number;
  facts: readonly FactReport[];
} {
  const count = (verdict: FactReport['verdict']): number =>
    facts.filter((fact) => fact.verdict === verdict).length;
  return {
    equal: count('equal'),
    differs: count('differs'),
    notDerivable: count('not derivable'),
    facts,
  };
}

/** A growing list of facts. */
export class FactList {
  readonly #facts: FactReport[] = [];
  readonly #doubt: Doubt;

  /** @param doubt  why a value may rest on lines that are lost; then a mismatch says nothing of the kernel */
  constructor(doubt: Doubt = () => undefined) {
    this.#doubt = doubt;
  }

  /**
   * Compares two values as text.
   * @param fact    kind of fact
   * @param subject what it speaks of
   * @param kernel  the kernel's value
   * @param ours    our value
   */
  compare(fact: string, subject: string, kernel: string | number, ours: string | number): void {
    const equal = String(kernel) === String(ours);
    const why = equal
      ? undefined
      : this.#doubt({ fact, kernel: String(kernel), ours: String(ours) });
    if (why !== undefined) {
      this.open(fact, subject, kernel, why);
      return;
    }
    this.#facts.push({
      fact,
      subject,
      kernel: String(kernel),
      ours: String(ours),
      verdict: equal ? 'equal' : 'differs',
    });
  }

  /**
   * Notes a value that does not follow from the log.
   * @param fact    kind of fact
   * @param subject what it speaks of
   * @param kernel  the kernel's value
   * @param reason  why it cannot be derived
   */
  open(fact: string, subject: string, kernel: string | number, reason: string): void {
    this.#facts.push({
      fact,
      subject,
      kernel: String(kernel),
      ours: '–',
      verdict: 'not derivable',
      reason,
    });
  }

  /** Every fact so far, in order. */
  get facts(): readonly FactReport[] {
    return this.#facts;
  }
}
