/** What all cases are told. */
export interface BenchOptions {
  readonly rounds: number;
  /** Milliseconds of one sample, warm-up not counted. */
  readonly sampleMs: number;
  readonly threads: number;
  readonly quick: boolean;
  /** Of the throughput cases only those whose name has this text. */
  readonly only: string;
}
