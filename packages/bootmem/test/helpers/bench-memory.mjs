// Prints the most memory that measuring boots held, in MiB: boots of a machine that touch about 100 MiB each, one after the other.
import { synthesize } from '@bootmem/firmware-map';
import { benchBoot } from '../../dist/index.js';

await benchBoot(synthesize({ memory: '192G' }), {
  rounds: 9,
  maxThreads: 2,
  profile: 'auto',
  source: 'synthetic',
});
console.log(process.resourceUsage().maxRSS / 1024);
