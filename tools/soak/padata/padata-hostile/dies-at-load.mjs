// A job module that ends the first threads that import it: `?times=N&file=PATH` (the file counts), with `by=memory` as one
// that takes more than a thread may have. Without `times` it throws while it is imported.
import { appendFileSync, statSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const { searchParams } = new URL(import.meta.url);
const file = searchParams.get('file');
if (searchParams.get('times') === null) throw new Error('it does not load');
if (!isMainThread) {
  appendFileSync(file, '.');
  if (statSync(file).size <= Number(searchParams.get('times'))) {
    const hog = [];
    while (searchParams.get('by') === 'memory') hog.push(new Array(10_000).fill(hog.length));
    process.exit(9);
  }
}
export { act } from './jobs.mjs';
