// Boots that end in the middle, in a process of its own; prints how many bytes of large writable mappings are left.
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { synthesize } from '@bootmem/firmware-map';
import { bootMemory } from '../../dist/index.js';

/** Mappings smaller than this are the program's own. */
const LARGE = 64 * 2 ** 20;

function writable() {
  let sum = 0;
  for (const line of readFileSync('/proc/self/maps', 'utf8').split('\n')) {
    const mapping = /^([\da-f]+)-([\da-f]+) .w/.exec(line);
    const bytes = mapping === null ? 0 : parseInt(mapping[2], 16) - parseInt(mapping[1], 16);
    if (bytes >= LARGE) sum += bytes;
  }
  return sum;
}

const [phase] = process.argv.slice(2);
const description = synthesize({ memory: '64G', nodes: 2 });
let most = 0;
for (let boots = 0; boots < 3; boots += 1) {
  const controller = new AbortController();
  const onProgress = (event) => {
    if (event.kind !== 'phase' || event.phase !== phase) return;
    most = Math.max(most, writable());
    controller.abort();
  };
  const { signal } = controller;
  const ended = await bootMemory(description, { threads: 2, signal, onProgress }).then(
    () => 'whole',
    (error) => error.code,
  );
  if (ended !== 'ERR_BOOTMEM_ABORTED') throw new Error(`it ended with ${ended}`);
}
// What is collected is given back by another thread.
for (let looks = 0; looks < 100 && writable() > 0; looks += 1) {
  globalThis.gc();
  await setTimeout(20);
}
console.log(JSON.stringify({ most, left: writable() }));
