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

  /** Takes everything back, the last step first. */
  unwind(): void {
    for (const undo of this.#undo.splice(0).reverse()) undo();
  }
}
