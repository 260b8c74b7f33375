import { bootMemory, BootmemError, loadMachine } from 'bootmem';
import type { BootOptions, BootReport, Machine } from 'bootmem';

const options: BootOptions = { threads: 2, mode: 'deferred', accept: 'lazy', profile: 'auto' };
const { description } = await loadMachine(undefined, { memory: 2 ** 31, nodes: 2 });
const machine: Machine = await bootMemory(description, options);
const pfn: number | undefined = machine.allocPages(3);
if (pfn === undefined) throw new Error('no memory');
machine.freePages(pfn, 3);
const report: BootReport = machine.report();
if (report.zones.length < 3) throw new Error('zones are missing');
await machine.close();
try {
  machine.report();
} catch (error) {
  if (!(error instanceof BootmemError) || error.code !== 'ERR_BOOTMEM_CLOSED') throw error;
}
