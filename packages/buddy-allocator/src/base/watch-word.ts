/**
 * Low-watermark events for any thread: a loop on `Atomics.waitAsync`, which neither blocks the thread nor
 * keeps the process alive.
 */

/**
 * Calls `callback` after each change of the word, until stopped.
 * @param words  shared words
 * @param index  word that is notified when it changes
 * @returns stops the watch
 */
export function watchWord(words: Int32Array, index: number, callback: () => void): () => void {
  let running = true;
  let seen = Atomics.load(words, index);
  const loop = async (): Promise<void> => {
    while (running) {
      const wait = Atomics.waitAsync(words, index, seen);
      if (wait.async) await wait.value;
      // `stop` may have run while this waited.
      if (!isRunning()) return;
      const now = Atomics.load(words, index);
      if (now !== seen) {
        seen = now;
        callback();
      }
    }
  };
  const isRunning = (): boolean => running;
  void loop();
  return () => {
    running = false;
  };
}
