/** Runs variants, counts them, and keeps those that fail small. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadMachine } from 'bootmem';
import { checkMachine } from 'bootmem/check';
import type { CheckReport } from 'bootmem/check';
import type { Random } from '../../kit/random.mjs';
import { reportOf } from './recording.js';
import type { Recording } from './recording.js';
import { shrunk } from './shrink.js';
import type { Rule, Variant, VariantClass } from './variant.js';

interface Tally {
  variants: number;
  failed: number;
}

/** Failures that are kept in few lines, which takes a while each. */
const KEPT = 10;

/** Runs variants. */
export class Runner {
  readonly #folder: string;
  readonly #save: (name: string, content: string | Uint8Array) => void;
  readonly #shown: number;
  readonly #byRule = new Map<Rule, Tally>();
  readonly #reports = new WeakMap<Recording, CheckReport>();
  #failed = 0;
  #crashed = 0;

  /**
   * @param folder  where packed variants are put to be read, and failing ones to be kept
   * @param save    writes a file in it
   * @param shown   failures that are printed and kept; the others are counted
   */
  constructor(
    folder: string,
    save: (name: string, content: string | Uint8Array) => void,
    shown: number,
  ) {
    this.#folder = folder;
    this.#save = save;
    this.#shown = shown;
  }

  get failed(): number {
    return this.#failed;
  }

  /** Makes one variant and judges it. */
  async run(recording: Recording, rule: Rule, random: Random): Promise<void> {
    const variant = rule.vary(recording, random);
    if (variant === undefined) return;
    const tally = this.#byRule.get(rule) ?? { variants: 0, failed: 0 };
    this.#byRule.set(rule, tally);
    tally.variants++;
    const before = this.#before(variant.base ?? recording);
    // A recording that is wrong by itself tells nothing about its variants.
    const wrong = await this.#judge(variant, before);
    if (wrong === undefined) return;
    tally.failed++;
    this.#failed++;
    if (this.#failed > this.#shown) return;
    console.log(`FAILED  ${recording.name}, ${rule.name}: ${variant.what}\n        ${wrong}`);
    if (this.#failed <= KEPT) this.#keep(recording, rule, variant, before);
  }

  #before(recording: Recording): CheckReport {
    const known = this.#reports.get(recording);
    if (known !== undefined) return known;
    const report = reportOf(recording);
    this.#reports.set(recording, report);
    return report;
  }

  async #judge(variant: Variant, before: CheckReport): Promise<string | undefined> {
    try {
      return variant.judge(before, await this.#after(variant));
    } catch (error) {
      this.#crashed++;
      return error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
  }

  async #after({ recording, packed }: Variant): Promise<CheckReport> {
    if (packed === undefined) return reportOf(recording);
    const path = join(this.#folder, 'packed.log');
    writeFileSync(path, packed);
    return checkMachine({ ...(await loadMachine(path)), source: recording.name });
  }

  #keep(recording: Recording, rule: Rule, variant: Variant, before: CheckReport): void {
    const name = `${String(this.#failed).padStart(2, '0')}-${recording.name}-${rule.name.replace(/\W+/g, '-')}.log`;
    if (variant.packed !== undefined) this.#save(name, variant.packed);
    else this.#save(name, `${shrunk(variant, before).join('\n')}\n`);
    console.log(`        kept as ${join(this.#folder, name)}`);
  }

  /** Prints what was run. */
  print(seed: number): void {
    const classes = new Map<VariantClass, Tally>();
    for (const [rule, tally] of this.#byRule) {
      const sum = classes.get(rule.class) ?? { variants: 0, failed: 0 };
      classes.set(rule.class, {
        variants: sum.variants + tally.variants,
        failed: sum.failed + tally.failed,
      });
      const failed = tally.failed === 0 ? '' : `, ${tally.failed} failed`;
      console.log(
        `${rule.class.padEnd(13)} ${String(tally.variants).padStart(6)}  ${rule.name}${failed}`,
      );
    }
    console.log();
    for (const [name, { variants, failed }] of classes) {
      console.log(`${name.padEnd(13)} ${String(variants).padStart(6)} variants, ${failed} failed`);
    }
    const all = [...classes.values()].reduce((sum, { variants }) => sum + variants, 0);
    console.log(
      `metamorphic: ${all - this.#failed} passed, ${this.#failed} failed (seed ${seed}, ${this.#crashed} crashed)`,
    );
  }
}
