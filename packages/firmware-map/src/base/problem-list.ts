/**
 * Collects problems, and keeps their number bounded: of each code the first few are listed with their line, the
 * rest is counted and summed up in one more problem that names the last line.
 */
import { MAX_PROBLEMS_PER_CODE } from './constants.js';
import type { Problem, ProblemCode, Severity } from '../types/all.js';

/** A growing list of problems. */
export class ProblemList {
  readonly #listed: Problem[] = [];
  readonly #counts = new Map<string, { count: number; lastLine: number; sample: Problem }>();

  /** Adds an error: something was lost or contradicts itself. */
  error(code: ProblemCode, line: number, message: string): void {
    this.#add({ severity: 'error', code, message, line });
  }

  /** Adds a warning: the input is odd, the result is not touched by it or says how. */
  warn(code: ProblemCode, line: number, message: string): void {
    this.#add({ severity: 'warning', code, message, line });
  }

  /** Adds problems found elsewhere. */
  addAll(problems: readonly Problem[]): void {
    for (const problem of problems) this.#add(problem);
  }

  /** True when a problem of that severity was added. */
  has(severity: Severity): boolean {
    return this.#listed.some((problem) => problem.severity === severity);
  }

  /** All problems in the order they were found, the summaries last. */
  list(): Problem[] {
    const summaries: Problem[] = [];
    for (const { count, lastLine, sample } of this.#counts.values()) {
      const more = count - MAX_PROBLEMS_PER_CODE;
      if (more <= 0) continue;
      const message = `${more} more of this kind, the last on line ${lastLine}`;
      summaries.push({ ...sample, line: lastLine, message });
    }
    return [...this.#listed, ...summaries];
  }

  #add(problem: Problem): void {
    const key = `${problem.severity} ${problem.code}`;
    const seen = this.#counts.get(key);
    if (seen === undefined) {
      this.#counts.set(key, { count: 1, lastLine: problem.line, sample: problem });
    } else {
      seen.count++;
      seen.lastLine = problem.line;
      if (seen.count > MAX_PROBLEMS_PER_CODE) return;
    }
    this.#listed.push(problem);
  }
}
