/** Figures that a benchmark is to reach, and how near to them what was measured comes. */
import { printJson } from './samples.js';
import { printTable, short } from './table.js';

/** A figure and its bound. */
export interface Target {
  readonly what: string;
  readonly measured: number;
  readonly bound: number;
  /** Which side of the bound is the good one. */
  readonly good: 'above' | 'below';
  readonly unit: string;
}

/** How much of the bound is reached: 1 or more where it is met; NaN where nothing was measured. */
export function shareOf({ measured, bound, good }: Target): number {
  return good === 'above' ? measured / bound : bound / measured;
}

/** What a reader wants to know. */
export function verdict(target: Target): 'reached' | 'missed' | 'not measured' {
  const share = shareOf(target);
  if (Number.isNaN(share)) return 'not measured';
  return share >= 1 ? 'reached' : 'missed';
}

/** Collects them while a benchmark runs; printed after its tables. */
export class Targets {
  readonly #bench: string;
  readonly #all: Target[] = [];

  constructor(bench: string) {
    this.#bench = bench;
  }

  /** `measured` is to be `bound` or more. */
  atLeast(what: string, measured: number, bound: number, unit = ''): void {
    this.#all.push({ what, measured, bound, good: 'above', unit });
  }

  /** `measured` is to be `bound` or less. */
  atMost(what: string, measured: number, bound: number, unit = ''): void {
    this.#all.push({ what, measured, bound, good: 'below', unit });
  }

  /** One table, or one JSON object a line: the share of the target. */
  print({ json }: { readonly json: boolean }): void {
    if (json) {
      for (const target of this.#all) {
        const share = shareOf(target);
        if (Number.isNaN(share)) continue;
        const key = { bench: this.#bench, case: target.what, subject: 'bootmem' };
        const spread = { median: share, min: share, max: share, n: 1 };
        printJson({ ...key, metric: 'share of the target', unit: '1', ...spread });
      }
      return;
    }
    if (this.#all.length === 0) return;
    printTable(
      'targets: what was measured, and how much of the target that is',
      ['', 'measured', 'target', 'share', ''],
      this.#all.map((target) => {
        const sign = target.good === 'above' ? '>=' : '<=';
        return [
          target.what,
          `${short(target.measured)} ${target.unit}`.trim(),
          `${sign} ${short(target.bound)} ${target.unit}`.trim(),
          Number.isNaN(target.measured) ? '' : shareOf(target).toFixed(2),
          verdict(target),
        ];
      }),
    );
  }
}
