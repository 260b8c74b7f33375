// Nothing that the command does keeps its thread from listening for long, whatever it reads: what the engine executes between
// two turns of the event loop is counted, not timed.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, test } from '@jest/globals';
import { run } from './helpers/run.js';

const SCRIPT = fileURLToPath(new URL('./helpers/count-stretches.mjs', import.meta.url));

/** Executions of blocks of code between two turns: some 50 ms, so 100 ms on a machine of half the speed. */
const MOST = 5_000_000;
/** What does not grow with an input: a fit of the scaling model, a chunk of pages of a boot. */
const FIXED = 1_000_000;

/** As many records of a kind as are kept; where more is read in the same steps, or it is brought up again and again, a quarter. */
const RECORDS = 2 ** 17;
const SOME = RECORDS / 4;

interface Counted {
  readonly code: number;
  readonly turns: number;
  readonly longest: readonly { readonly steps: number; readonly where: readonly string[] }[];
}

async function counted(
  input: string,
  records: number,
  command: readonly string[],
): Promise<Counted> {
  const env = { ...process.env, NODE_V8_COVERAGE: '' };
  const args = ['--max-old-space-size=3072', SCRIPT, input, String(records), ...command];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  return JSON.parse(stdout) as Counted;
}

const PAGE = join(mkdtempSync(join(tmpdir(), 'bootmem-page-')), 'report.html');
afterAll(() => {
  rmSync(dirname(PAGE), { recursive: true });
});

/** For each of the commands: an input, how many records of it, the words behind the command's name, its exit code. */
const RUNS = {
  boot: [['e820', RECORDS, ['--json', 'FILE'], 0]],
  check: [
    ['e820', RECORDS, ['FILE'], 0],
    ['nodes', SOME, ['--json', 'FILE'], 0],
  ],
  explain: [['e820', RECORDS, ['--evidence', 'FILE'], 0]],
  'what-if': [['e820', RECORDS, ['--add', 'mem=1G', 'FILE'], 0]],
  replay: [['memblock', RECORDS, ['FILE'], 1]],
  bench: [['e820', SOME, ['-r', '1', '-t', '1', 'FILE'], 0]],
  report: [['e820', SOME, ['-r', '1', '-t', '1', '-o', PAGE, 'FILE'], 0]],
  numa: [['description', SOME, ['FILE'], 0]],
  lsmem: [['log in a member', SOME, ['FILE'], 0]],
  at: [['e820', RECORDS, ['0x100000', 'FILE'], 0]],
  phases: [['e820', RECORDS, ['FILE'], 0]],
} as const;
/** They print what they hold, whatever there is to read. */
const WITHOUT_INPUT = { completion: ['bash'], man: [], schema: [] } as const;

test('no command is left out', async () => {
  const { out } = await run(['--help']);
  const commands = /^Commands:\n((?: .*\n)+)/m.exec(out)![1]!;
  const names = [...commands.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map(([, name]) => name!);
  expect(names.length).toBeGreaterThan(10);
  expect(names.filter((name) => name !== 'help').sort()).toEqual(
    [...Object.keys(RUNS), ...Object.keys(WITHOUT_INPUT)].sort(),
  );
});

test.each(
  Object.entries(RUNS).flatMap(([command, runs]) => runs.map((row) => [command, ...row] as const)),
)('%s: %s of the largest size, %i records', async (...row) => {
  const [command, input, records, words, expected] = row;
  const { code, turns, longest } = await counted(input, records, [command, ...words]);
  expect(code).toBe(expected);
  expect(turns).toBeGreaterThan(100);
  expect(longest[0]!.steps).toBeGreaterThan(10_000);
  const isRepeated = command === 'bench' || command === 'report';
  const most = (isRepeated ? FIXED : 0) + (MOST * records) / RECORDS;
  expect(longest.filter(({ steps }) => steps > most)).toEqual([]);
});

test.each(Object.entries(WITHOUT_INPUT))('%s reads nothing', async (command, words) => {
  const { code, longest } = await counted('e820', 8, [command, ...words]);
  expect(code).toBe(0);
  expect(longest.filter(({ steps }) => steps > FIXED)).toEqual([]);
});
