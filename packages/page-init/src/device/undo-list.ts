/**
 * Steps that can be taken back: done one after another, undone in reverse, at the first failure or at the end.
 */

/** What was done so far. */
export class UndoList {
  readonly #undo: (() => void)[] = [];

  /** Does a step; when `act` throws, nothing of the step is remembered. */
  step(act: () => void, undo: () => void): void {
    act();
    this.#undo.push(undo);
  }

  /**
   * Takes everything back, the last step first: each, whatever becomes of those before it.
   * @returns what went wrong
   */
  unwind(): unknown[] {
    const errors: unknown[] = [];
    for (const undo of this.#undo.splice(0).reverse()) {
      try {
        undo();
      } catch (error) {
        errors.push(error);
      }
    }
    return errors;
  }
}
