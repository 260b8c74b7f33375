// Writes dist/bootmem.1, what `man bootmem` shows where npm links it.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
writeFileSync(
  at('../dist/bootmem.1'),
  execFileSync(process.execPath, [at('../dist/cli.js'), 'man']),
);
console.log('dist/bootmem.1 is built');
