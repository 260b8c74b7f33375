/**
 * The platform's clock, timers and microtasks, as they were when the package was loaded. Programs under test replace the globals
 * (`jest.useFakeTimers()`, `vi.useFakeTimers()`, sinon, `mock.timers` of node:test), and so may a job module on its thread. The
 * threads go on in real time, and so has whatever waits for them. The linter refuses the globals elsewhere in the package.
 */

const { performance: clock } = globalThis;

export const { setTimeout, clearTimeout, setInterval, clearInterval, queueMicrotask } = globalThis;

/** As the global one, as far as it is used here. */
export const performance: Pick<typeof clock, 'now' | 'timeOrigin'> = {
  timeOrigin: clock.timeOrigin,
  now: clock.now.bind(clock),
};
