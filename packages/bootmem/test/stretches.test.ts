// Nothing that the command does keeps its thread from listening for long, whatever it reads: what the engine executes between
// two turns of the event loop is counted, not timed.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const SCRIPT = fileURLToPath(new URL('./helpers/count-stretches.mjs', import.meta.url));

/** Executions of blocks of code between two turns: some 50 ms. */
const MOST = 5_000_000;

/** As many records of a kind as are kept; where more is read in the same steps, a quarter of them. */
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
  const args = ['--max-old-space-size=2048', SCRIPT, input, String(records), ...command];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  return JSON.parse(stdout) as Counted;
}

test.each([
  ['a map', 'e820', RECORDS, ['check', 'FILE'], 0],
  ['nodes, edits and lost lines', 'nodes', SOME, ['check', '--json', 'FILE'], 0],
  ['operations of memblock', 'memblock', RECORDS, ['replay', 'FILE'], 1],
  ['a map', 'e820', RECORDS, ['explain', '--evidence', 'FILE'], 0],
  ['a map', 'e820', RECORDS, ['what-if', '--add', 'mem=1G', 'FILE'], 0],
  ['a map', 'description', SOME, ['numa', 'FILE'], 0],
  ['a log in a member of JSON', 'log in a member', SOME, ['lsmem', 'FILE'], 0],
] as const)('%s of the largest size: %s, %i records, %j', async (...row) => {
  const [, input, records, command, expected] = row;
  const { code, turns, longest } = await counted(input, records, command);
  expect(code).toBe(expected);
  expect(turns).toBeGreaterThan(100);
  expect(longest[0]!.steps).toBeGreaterThan(10_000);
  const tooLong = longest.filter(({ steps }) => steps > (MOST * records) / RECORDS);
  expect(tooLong).toEqual([]);
});
