import { Piscina } from 'piscina';

const filename = new URL('./jobs.mjs', import.meta.url).href;

export function createHasher({ threads, deadlineMs }) {
  const pool = new Piscina({ filename, minThreads: threads, maxThreads: threads });
  return {
    // One limit, from the submission: nobody tells when a task begins.
    run: (name, input, { signal, timeoutMs = deadlineMs }) => {
      const limit = AbortSignal.timeout(Math.min(timeoutMs, deadlineMs));
      return pool.run(input, { name, signal: AbortSignal.any([signal, limit]) });
    },
    isLate: (error) => error.cause?.name === 'TimeoutError',
    computed: () => pool.completed,
    close: () => pool.destroy(),
  };
}
