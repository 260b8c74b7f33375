/**
 * Replays traces of a real kernel's memblock on ours.
 *
 *   npm run conformance -- memblock [--verify] [FILE or FOLDER ...]
 *
 * Any file in the documented schema will do, plain or gzip, one scenario a line. Without arguments:
 * the shared recordings, or the package's own few. The first difference of each scenario is printed.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { sharedOracle } from '@bootmem-tools/oracle';
import { replayTrace, type TraceScenario } from '@bootmem/memblock/trace';
import { conformanceOptions, flag } from '../kit/options.js';

const FIXTURES = fileURLToPath(new URL('../../packages/memblock/test/fixtures', import.meta.url));

function filesIn(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => /\.jsonl(\.gz)?$/.test(name))
    .sort()
    .map((name) => join(path, name));
}

function* scenariosIn(file: string): Generator<TraceScenario> {
  const bytes = readFileSync(file);
  const packed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const text = (packed ? gunzipSync(bytes) : bytes).toString('utf8');
  for (const line of text.split('\n')) {
    if (line.trim() !== '') yield JSON.parse(line) as TraceScenario;
  }
}

const { paths: given, verify } = conformanceOptions(
  'memblock',
  "Replays traces of a real kernel's memblock on ours.",
  'PATH',
  { verify: flag('check all invariants after every operation') },
);
const paths = given.length > 0 ? given : [sharedOracle('memblock') ?? FIXTURES];

let passed = 0;
let failed = 0;
for (const path of paths) {
  if (!existsSync(path)) {
    console.error(`${path}: no such file or folder`);
    failed++;
    continue;
  }
  for (const file of filesIn(path)) {
    const before = { passed, failed };
    let operations = 0;
    for (const scenario of scenariosIn(file)) {
      operations += scenario.ops.length;
      try {
        const difference = replayTrace(scenario, { verify });
        if (difference === undefined) {
          passed++;
          continue;
        }
        failed++;
        const { index, operation, what, expected, got } = difference;
        console.log(`${scenario.name}: operation ${index}: ${operation}`);
        console.log(`  ${what}\n    expected ${expected}\n    got      ${got}`);
      } catch (error) {
        failed++;
        console.log(
          `${scenario.name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
        );
      }
    }
    console.log(
      `${basename(file)}: ${passed - before.passed} passed, ${failed - before.failed} failed, ${operations} operations`,
    );
  }
}
if (passed + failed === 0) failed = 1;
console.log(`memblock: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
