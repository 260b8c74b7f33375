/** What a list of mutants says: small breaks of a package, each of which its own test suite has to notice. */

/** One break. */
export interface Mutant {
  /** What is wrong then, in a few words; unique in its list. */
  readonly name: string;
  /** Below the package's `src`. */
  readonly file: string;
  /** Text of the file that is replaced; it occurs once. */
  readonly find: string;
  readonly put: string;
  /** Pattern of test files that are run first, because one of them should notice. */
  readonly first?: string;
  /** Why no test can notice it: the break changes nothing that a program could see. */
  readonly survives?: string;
}

/** What became of a mutant. */
export interface Verdict {
  readonly caught: boolean;
  /** The first test that failed, or what else went wrong; empty for a survivor. */
  readonly by: string;
}
