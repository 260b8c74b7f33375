// Boots a machine in a process of its own and prints what the kernel says it touched, and what was stated: bytes.
import { readFileSync } from 'node:fs';
import { synthesize } from '@bootmem/firmware-map';
import { bootMemory } from '../../dist/index.js';
import { needsOf } from '../../dist/plan/limits/needs.js';

/** Mappings smaller than this are the program's own. */
const LARGE = 8 * 2 ** 20;

/** Resident bytes of large writable mappings. */
function resident() {
  let large = false;
  let sum = 0;
  for (const line of readFileSync('/proc/self/smaps', 'utf8').split('\n')) {
    const mapping = /^([\da-f]+)-([\da-f]+) .w/.exec(line);
    if (mapping !== null) large = parseInt(mapping[2], 16) - parseInt(mapping[1], 16) >= LARGE;
    else if (/^[\da-f]+-/.test(line)) large = false;
    const rss = /^Rss: +(\d+) kB/.exec(line);
    if (large && rss !== null) sum += rss[1] * 1024;
  }
  return sum;
}

const [memory, nodes, mode] = process.argv.slice(2);
const description = synthesize({ memory, nodes: Number(nodes) });
const before = resident();
const machine = await bootMemory(description, { threads: 1, mode });
console.log(JSON.stringify({ touched: resident() - before, ...needsOf(machine.plan) }));
await machine.close();
