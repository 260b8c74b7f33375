// The `test` script of every package, run in the package's folder: jest in ESM mode under c8, which also
// counts the code that worker threads ran. Leaves coverage/jest.json, from which tools/test.mjs sums up.
// Arguments are handed to jest; with any argument, coverage thresholds are not enforced.
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';

const require = createRequire(import.meta.url);
const jest = join(dirname(require.resolve('jest/package.json')), 'bin', 'jest.js');
const c8 = join(dirname(require.resolve('c8/package.json')), 'bin', 'c8.js');
const args = process.argv.slice(2);

// `npm test` reads here what is going on.
const { BOOTMEM_TEST_STEPS: steps, ...environment } = process.env;
const { name } = JSON.parse(readFileSync('package.json', 'utf8'));
const started = Date.now();
const step = (text) => {
  if (steps !== undefined) appendFileSync(steps, `${name.padEnd(28)} ${text}\n`);
};

// Some tests need a program that a machine may lack: they skip themselves with a notice, and then the part of the
// code that only they reach cannot count. `needs` in .c8rc.json names the program.
const { needs } = JSON.parse(readFileSync('.c8rc.json', 'utf8'));
const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/bin'];
const lacks =
  needs !== undefined &&
  process.env.NATS_SERVER === undefined &&
  !folders.some((folder) => existsSync(join(folder, needs)));
if (lacks) console.error(`*** coverage is not held to its thresholds: no ${needs} on this machine`);

// Nx forces colours on; a program that a test starts would colour its output and differ from what users see.
environment.NX_TUI = 'false';
delete environment.FORCE_COLOR;
step('…');

rmSync('coverage', { recursive: true, force: true });
mkdirSync('coverage', { recursive: true });
const run = spawnSync(
  process.execPath,
  [
    c8,
    ...(args.length > 0 || lacks ? ['--check-coverage=false'] : []),
    '--temp-directory',
    'coverage/tmp',
    '--clean=false',
    process.execPath,
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    '--no-warnings=ExperimentalWarning',
    jest,
    '--json',
    '--outputFile=coverage/jest.json',
    ...args,
  ],
  // `--json` puts the report on stdout; it is in the file already. The readable one is on stderr.
  {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: environment,
    maxBuffer: 1 << 30,
    // A test that leaves a thread behind keeps jest alive for ever; that is a failure, not a hang.
    timeout: 15 * 60_000,
  },
);
const out = run.stdout.toString();
const summary = out.indexOf('=====');
if (summary >= 0) process.stdout.write(out.slice(summary));
rmSync('coverage/tmp', { recursive: true, force: true });
process.exitCode = run.status ?? 1;

const seconds = `${((Date.now() - started) / 1000).toFixed(0)} s`;
if (existsSync('coverage/jest.json')) {
  const result = JSON.parse(readFileSync('coverage/jest.json', 'utf8'));
  const bad = result.numFailedTests + result.numRuntimeErrorTestSuites;
  const verdict = run.status === 0 || bad > 0 ? '' : ', not accepted (coverage, or the run itself)';
  step(`${result.numPassedTests} passed, ${bad} failed in ${seconds}${verdict}`);
} else step(`no result after ${seconds}`);
