// `npm test`: every package's tests through Nx, then the sum over all packages as the last line.
// A package without a result, or a sum of zero tests, is a failure.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';

const packages = ['packages', 'tools']
  .flatMap((folder) => readdirSync(folder).map((dir) => `${folder}/${dir}`))
  .filter((dir) => {
    const manifest = `${dir}/package.json`;
    return (
      existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).scripts?.test !== undefined
    );
  });
for (const dir of packages) rmSync(`${dir}/coverage/jest.json`, { force: true });

const nx = spawnSync(
  'npx',
  ['nx', 'run-many', '-t', 'test', '--output-style=static', ...process.argv.slice(2)],
  {
    stdio: 'inherit',
    env: {
      ...process.env,
      NX_TUI: 'false',
      NX_NO_CLOUD: 'true',
      NX_DAEMON: 'false',
      NX_ISOLATE_PLUGINS: 'false',
    },
  },
);

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
if (passed === 0 || (nx.status !== 0 && failed === 0)) failed += 1;
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
