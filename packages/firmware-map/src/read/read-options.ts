/** How to read. */
export interface ReadOptions {
  /** Label of the input for messages; usually its file name. */
  readonly name?: string;
  /** Boot to take, 0-based; `'last'` (default): the last that says where memory is. */
  readonly boot?: number | 'last';
  /**
   * Called for each line that was understood, in order: its number, and its text without colours, quoting and the
   * line breaks of mail. For those who quote the lines that a description rests on.
   */
  readonly onRecord?: (line: number, text: string) => void;
  /** Ends {@link readDescription} between two of its steps, with its reason. */
  readonly signal?: AbortSignal;
}
