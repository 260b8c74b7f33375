/** The page's workers; a bundler finds each by its `new Worker(new URL(…), …)` expression. */
interface PageWorker {
  onmessage: ((event: { data: { collisions: number } }) => void) | null;
  onerror: ((event: { message: string }) => void) | null;
  postMessage(message: unknown): void;
  terminate(): void;
}
declare const Worker: new (url: URL, options: { type: 'module' }) => PageWorker;

export function jobsWorker(): PageWorker {
  return new Worker(new URL('./jobs.worker.ts', import.meta.url), { type: 'module' });
}

export function memoryWorker(): PageWorker {
  return new Worker(new URL('./memory.worker.ts', import.meta.url), { type: 'module' });
}
