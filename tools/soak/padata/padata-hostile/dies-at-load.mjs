// A job module that ends the first threads that import it: `?times=N&file=PATH` (the file counts). Without `times` it
// throws while it is imported.
import { appendFileSync, statSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const { searchParams } = new URL(import.meta.url);
const file = searchParams.get('file');
if (searchParams.get('times') === null) throw new Error('it does not load');
if (!isMainThread) {
  appendFileSync(file, '.');
  if (statSync(file).size <= Number(searchParams.get('times'))) process.exit(9);
}
export { act } from './jobs.mjs';
