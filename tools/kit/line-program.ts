/** A child process that answers each line with a line: a subject that stays warm between its measurements. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { CommandLine } from './cpus.js';

/** One such process; its errors go to this one's. */
export class LineProgram {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  constructor([command, ...args]: CommandLine) {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    // What becomes of a process that does not start, or has ended, is told by the end of its lines.
    child.on('error', () => undefined);
    child.stdin.on('error', () => undefined);
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /**
   * Writes a line and resolves to the answer. One question at a time.
   * @throws Error when the process has ended
   */
  async ask(line: string): Promise<string> {
    this.#child.stdin.write(`${line}\n`);
    const answer = await this.#lines.next();
    if (answer.done === true) throw new Error(`${this.#child.spawnfile} ended at '${line}'`);
    return answer.value;
  }

  /** Ends its input, upon which it is to end; resolves when it has. */
  async close(): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    const ended =
      exitCode !== null || signalCode !== null
        ? Promise.resolve()
        : new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdin.end();
    await ended;
  }
}
