/** Builds and tests one package of a working copy, up to the first test that fails. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const jest = join(dirname(require.resolve('jest/package.json')), 'bin', 'jest.js');
const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
const reporter = fileURLToPath(new URL('./first-failure.mjs', import.meta.url));

/** How a run of tests went. */
export interface Outcome {
  /** The first test that failed; undefined = all passed. */
  readonly failed: string | undefined;
  readonly passed: number;
}

/** How tests are run. */
export interface SuiteOptions {
  /** Jest's processes. */
  readonly workers: number;
  /** Milliseconds after which a test, or all of them, count as hanging. */
  readonly testLimit: number;
  readonly limit: number;
}

/** The test suite of one package. */
export class Suite {
  readonly #folder: string;
  readonly #temporary: string;
  #running: ChildProcess | undefined;

  /** @param root root of the working copy */
  constructor(root: string, name: string) {
    this.#folder = join(root, 'packages', name);
    this.#temporary = join(root, 'tmp');
  }

  /** Brings the package's `dist` up to date. @throws Error with what the compiler says */
  async build(): Promise<void> {
    // A break may leave a name unused.
    const args = [tsc, '-p', 'tsconfig.lib.json', '--noUnusedLocals', 'false'];
    const lines: string[] = [];
    const status = await this.#spawn(args, (line) => lines.push(line));
    if (status !== 0) throw new Error(`it does not build:\n${lines.join('\n')}`);
  }

  /** Runs the tests whose files match the pattern; undefined: all. */
  async run(options: SuiteOptions, pattern?: string): Promise<Outcome> {
    const args = [
      '--experimental-vm-modules',
      '--no-warnings=ExperimentalWarning',
      jest,
      `--reporters=${reporter}`,
      `--maxWorkers=${options.workers}`,
      `--testTimeout=${options.testLimit}`,
      ...(pattern === undefined ? [] : [pattern]),
    ];
    let failed: string | undefined;
    let passed = 0;
    const timer = setTimeout(() => {
      failed ??= `the suite does not end within ${options.limit / 1000} s`;
      this.stop();
    }, options.limit);
    const status = await this.#spawn(args, (line) => {
      if (!line.startsWith('\u0001')) return;
      const said = JSON.parse(line.slice(1)) as { failed?: string; passed?: number };
      passed = said.passed ?? passed;
      if (said.failed === undefined) return;
      failed ??= said.failed;
      this.stop();
    });
    clearTimeout(timer);
    if (failed === undefined && status !== 0) failed = `jest ends with ${String(status)}`;
    return { failed, passed };
  }

  /** Ends what runs, with all the processes that it has started. */
  stop(): void {
    const pid = this.#running?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }

  #spawn(args: readonly string[], onLine: (line: string) => void): Promise<number | null> {
    const child = spawn(process.execPath, args, {
      cwd: this.#folder,
      // A group of its own, so that `stop` reaches the programs that tests start.
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, TMPDIR: this.#temporary, FORCE_COLOR: '0' },
    });
    this.#running = child;
    createInterface({ input: child.stdout }).on('line', onLine);
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (status) => {
        this.#running = undefined;
        resolve(status);
      });
    });
  }
}
