/** Timers of Node, Deno, Bun and browsers, whose are numbers. */
import { setTimeout } from '../base/host-time.js';

/** What `setTimeout` and `setInterval` give. */
export type Timer = ReturnType<typeof setTimeout>;

/** It keeps the process alive, where that is a question. */
export const refTimer = (timer: Timer): void => (timer as { ref?: () => void }).ref?.();

/** It does not. */
export const unrefTimer = (timer: Timer): void => (timer as { unref?: () => void }).unref?.();

/** Resolves after so many milliseconds. */
export const later = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
