/** What all cases are told. */
export interface BenchOptions {
  readonly rounds: number;
  /** Milliseconds of one sample, warm-up not counted. */
  readonly sampleMs: number;
  readonly threads: number;
  readonly quick: boolean;
  /** Nothing but JSON lines goes to stdout. */
  readonly json: boolean;
  /** Of cases with several rows only those whose name has this text. */
  readonly only: string;
}
