import { createWorkPool } from '@bootmem/padata';

const module = new URL('./jobs.mjs', import.meta.url);

export function createHasher({ threads, deadlineMs }) {
  const pool = createWorkPool({ threads });
  return {
    run: (name, input, { signal, timeoutMs }) =>
      pool.run({ module, name }, input, { signal, timeoutMs, deadlineMs }),
    isLate: (error) => error.code === 'ERR_PADATA_TIMEOUT',
    computed: () => pool.stats().jobs,
    close: () => pool.close(),
  };
}
