/**
 * When a series gives up, in the words of GNU parallel's --halt: `never`, or when and why.
 *
 * `soon` starts nothing new and lets running jobs finish; `now` also tells them to stop, and ends their
 * threads after a grace time. Results are counted in order of submission, so the same results always halt
 * at the same job.
 */
import { PadataError } from '../base/errors.js';

/** 'never', or for example 'soon,fail=1', 'now,fail=3', 'soon,fail=5%', 'now,success=1', 'soon,done=100'. */
export type HaltPolicy = 'never' | `${'soon' | 'now'},${'fail' | 'success' | 'done'}=${string}`;

/** Counts results and says when to halt. */
export class HaltCounter {
  readonly now: boolean;
  readonly #why: 'fail' | 'success' | 'done' | undefined;
  readonly #limit: number;
  readonly #percent: boolean;
  #failed = 0;
  #done = 0;

  /** @throws ERR_PADATA_ARGUMENT when the policy is not one of the known forms */
  constructor(policy: HaltPolicy) {
    const match = /^(soon|now),(fail|success|done)=(\d+)(%?)$/.exec(policy);
    if (policy !== 'never' && (match === null || Number(match[3]) < 1)) {
      throw new PadataError(
        'ERR_PADATA_ARGUMENT',
        `halt must be 'never' or like 'soon,fail=1' or 'now,fail=5%', got '${policy}'`,
        { halt: policy },
      );
    }
    this.now = match?.[1] === 'now';
    this.#why = match?.[2] as 'fail' | 'success' | 'done' | undefined;
    this.#limit = Number(match?.[3] ?? 0);
    this.#percent = match?.[4] === '%';
  }

  /** Takes one result into account; true = the series halts because of it. */
  count(failed: boolean): boolean {
    this.#done += 1;
    if (failed) this.#failed += 1;
    if (this.#why === undefined) return false;
    const value =
      this.#why === 'fail'
        ? this.#failed
        : this.#why === 'success'
          ? this.#done - this.#failed
          : this.#done;
    if (!this.#percent) return value >= this.#limit;
    // A share of three results says nothing yet: as GNU parallel, from three failures on.
    return value >= 3 && (value * 100) / this.#done >= this.#limit;
  }
}
