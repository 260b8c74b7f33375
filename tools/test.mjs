// `npm test`: every package's tests through Nx, one line as each starts and ends, then the sum over all packages as the
// last line. A package without a result, or a sum of zero tests, is a failure. Arguments are handed to Nx.
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';

const packages = ['packages', 'tools']
  .flatMap((folder) => readdirSync(folder).map((dir) => `${folder}/${dir}`))
  .filter((dir) => {
    const manifest = `${dir}/package.json`;
    return (
      existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).scripts?.test !== undefined
    );
  });
for (const dir of packages) rmSync(`${dir}/coverage/jest.json`, { force: true });

// Nx shows a task's output when the task has ended. What tools/test-package.mjs has to say at once goes into this file.
const steps = resolve('.nx', `test-steps-${process.pid}`);
mkdirSync('.nx', { recursive: true });
appendFileSync(steps, '');
let shown = 0;
function showSteps() {
  const text = readFileSync(steps, 'utf8');
  const end = text.lastIndexOf('\n') + 1;
  process.stdout.write(text.slice(shown, end));
  shown = end;
}

console.log(`tests of ${packages.length} packages, two at a time; the packages are built first`);
const timer = setInterval(showSteps, 200);
const status = await new Promise((done) => {
  const nx = spawn(
    'npx',
    ['nx', 'run-many', '-t', 'test', '--output-style=static', ...process.argv.slice(2)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      shell: process.platform === 'win32',
      env: {
        ...process.env,
        BOOTMEM_TEST_STEPS: steps,
        NX_TUI: 'false',
        NX_NO_CLOUD: 'true',
        NX_DAEMON: 'false',
        NX_ISOLATE_PLUGINS: 'false',
      },
    },
  );
  nx.stdout.pipe(process.stdout, { end: false });
  nx.on('error', (error) => {
    console.error(error.message);
    done(1);
  });
  nx.on('close', done);
});
clearInterval(timer);
showSteps();
rmSync(steps, { force: true });

let passed = 0;
let failed = 0;
for (const dir of packages) {
  const path = `${dir}/coverage/jest.json`;
  if (!existsSync(path)) {
    console.error(`${dir}: no test result`);
    failed += 1;
    continue;
  }
  const result = JSON.parse(readFileSync(path, 'utf8'));
  passed += result.numPassedTests;
  // A suite that does not load has no failed test of its own, yet it failed.
  failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
}
if (passed === 0 || (status !== 0 && failed === 0)) failed += 1;
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
