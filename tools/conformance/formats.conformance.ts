// Every format of logs and files that firmware-map reads: does it find what an independent count finds?
//   npm run conformance -- formats [FOLDER…]
// Folders: logs with an index.jsonl (a line per log with the truths it holds), recorded boots, or single files that
// must be refused. Default: the shared recordings, else the fixtures of the repository.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fixtureOracle, sharedOracle } from '@bootmem-tools/oracle';
import { conformanceOptions } from '../kit/options.js';
import { checkBoot } from './formats/boot-files.js';
import { checkIndexedLog } from './formats/indexed-log.js';
import type { IndexLine } from './formats/indexed-log.js';
import { checkRefusals } from './formats/refusals.js';
import type { CaseResult } from './formats/case.js';

const OWN = fileURLToPath(new URL('../../packages/firmware-map/test/fixtures', import.meta.url));

function foldersOf(args: readonly string[]): string[] {
  if (args.length > 0) return [...args];
  const found = [sharedOracle('corpus'), sharedOracle('boots') ?? fixtureOracle('boots'), OWN];
  if (found[0] === undefined) {
    console.log('formats: no collected logs here; the fixtures of the repository are read alone');
  }
  return found.filter((folder) => folder !== undefined && existsSync(folder)) as string[];
}

function* casesOf(folder: string): Generator<CaseResult> {
  const index = join(folder, 'index.jsonl');
  if (existsSync(index)) {
    const lines = readFileSync(index, 'utf8').split('\n').filter(Boolean);
    const entries = lines.map((line) => JSON.parse(line) as IndexLine);
    const indexed = new Set<string>();
    for (const entry of entries) {
      indexed.add(`${entry.slug}.dmesg`);
      yield checkIndexedLog(join(folder, `${entry.slug}.dmesg`), entry);
    }
    yield* checkRefusals(folder, indexed);
    return;
  }
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) yield* checkBoot(path);
  }
}

const { paths } = conformanceOptions(
  'formats',
  'Every format of logs and files against an independent count.',
  'FOLDER',
  {},
);
let passed = 0;
let failed = 0;
let facts = 0;
for (const folder of foldersOf(paths)) {
  for (const { name, first, checks } of casesOf(folder)) {
    facts += checks;
    if (first === undefined) passed++;
    else {
      failed++;
      console.log(`DIFFERS   ${basename(folder)}/${name}: ${first}`);
    }
  }
}
console.log(`${facts} facts compared`);
console.log(`formats: ${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
