// Types of arguments and results flow from the job's own type.
import { createWorkPool, functionRef, orderedMap } from '@bootmem/padata';

interface Jobs {
  shout(text: string): string;
}
const module = `data:text/javascript,${encodeURIComponent('export const shout = (text) => text.toUpperCase();')}`;
const pool = createWorkPool({ threads: 1 });
const results: string[] = [];
for await (const result of orderedMap(
  pool,
  ['a', 'b', 'c'],
  functionRef<Jobs, 'shout'>(module, 'shout'),
  {},
)) {
  results.push(result);
}
await pool.close();
if (results.join('') !== 'ABC') throw new Error(`got ${results.join('')}`);
