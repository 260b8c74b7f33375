// Boots 12 TiB in a process of its own, allocates as far as descriptors go, and prints what it saw as JSON.
// Of its own because the address space of the descriptors is larger than the memory of many machines: Linux
// refuses (ENOMEM) to fork a process that holds such a mapping, and it stands until its buffers are collected.
import { synthesize } from '@bootmem/firmware-map';
import { bootMemory } from '../../dist/index.js';

const machine = await bootMemory(synthesize({ memory: '12T', nodes: 2 }), { threads: 2 });
const report = machine.report();
const blocks = [];
for (let i = 0; i < 20_000; i++) {
  const pfn = machine.allocPages(10, { migratetype: 1 });
  if (pfn !== undefined) blocks.push(pfn);
}
for (const pfn of blocks) machine.freePages(pfn, 10);
await machine.close();
console.log(JSON.stringify({ report, different: new Set(blocks).size }));
