// Reporter for jest that says what mutants.ts wants to know: the first test that failed, at once, and at the end how
// many passed. Lines on standard output, each with a mark that no test prints.
import { basename } from 'node:path';

const MARK = '\u0001';

export default class FirstFailure {
  #say(line) {
    process.stdout.write(`\n${MARK}${JSON.stringify(line)}\n`);
  }

  onTestCaseResult(test, { status, fullName }) {
    if (status === 'failed') this.#say({ failed: `${basename(test.path)}: ${fullName}` });
  }

  /** A file that does not load has no test that could fail. */
  onTestResult(test, { testExecError }) {
    if (testExecError != null) {
      this.#say({ failed: `${basename(test.path)}: ${testExecError.message ?? 'does not load'}` });
    }
  }

  onRunComplete(_contexts, { numPassedTests }) {
    this.#say({ passed: numPassedTests });
  }
}
