/** Those who wait for something to come true; they look again when they are woken. */
export class Waiters {
  #resolvers: (() => void)[] = [];

  /** Resolves at the next `wake`. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#resolvers.push(resolve);
    });
  }

  /** Wakes all of them. */
  wake(): void {
    for (const resolve of this.#resolvers.splice(0)) resolve();
  }
}
