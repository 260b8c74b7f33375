// node tools/clean.mjs DIR...: removes build outputs, so that no file of a removed source is published.
import { rmSync } from 'node:fs';
for (const dir of process.argv.slice(2)) rmSync(dir, { recursive: true, force: true });
