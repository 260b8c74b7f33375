/** What became of a job. */
export type Outcome =
  | { readonly state: 'done'; readonly value: unknown }
  | { readonly state: 'failed'; readonly error: unknown }
  /** Not begun: its run was aborted. */
  | { readonly state: 'skipped' };
