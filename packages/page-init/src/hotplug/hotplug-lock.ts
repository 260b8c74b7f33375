/**
 * The lock that serialises adding and removing memory; taken alone.
 */

/** Serialises adding and removing memory; the default is uncontended, for one controlling thread. */
export interface HotplugLock {
  /** Runs the body with the lock held; returns what it returns. */
  withLock<T>(body: () => T): T;
}

/** The lock of a machine with one controlling thread. */
export const UNCONTENDED: HotplugLock = { withLock: (body) => body() };
